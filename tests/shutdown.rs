//! Stopping: what was begun is finished, nothing new is taken.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::server::Server;

#[tokio::test]
async fn begun_request_is_finished() {
    let mut server = Server::start().await;
    let address = server.credentials.url.strip_prefix("http://").unwrap().to_owned();
    let key = server.credentials.dsn.split(['/', '@']).nth(2).unwrap().to_owned();
    let mut connection = TcpStream::connect(&address).await.unwrap();
    let body = "{}\n{\"type\":\"client_report\"}\n{\"discarded_events\":[]}\n";
    let head = format!(
        "POST /api/{}/envelope/ HTTP/1.1\r\nHost: {address}\r\nX-Sentry-Auth: Sentry sentry_key={key}\r\nContent-Length: {}\r\n\r\n",
        server.credentials.project_id,
        body.len(),
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    // The server is reading the body once it has taken the head.
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.terminate();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(&address).await.is_err(), "a stopping server takes nothing new");
    connection.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.ended().await, 0);
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let mut server = Server::start().await;
    // The client keeps this connection open.
    server.get("/healthz").await.expect(200);
    server.terminate();
    let ended = tokio::time::timeout(Duration::from_secs(5), server.ended()).await;
    assert_eq!(ended.expect("an idle connection is closed"), 0);
}
