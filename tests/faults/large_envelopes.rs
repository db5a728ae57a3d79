//! Many large envelopes at the same time, from clients that are as slow as they like.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::reading::{envelope, new_id};
use crate::support::server::Server;
use crate::support::upload::gzip;
use crate::support::wait::until;

/// Clients at the same time; together they send several times what the server may hold in memory.
const CLIENTS: usize = 12;
/// Bytes of one attachment.
const ATTACHMENT_BYTES: usize = 8 << 20;
/// What the server's private memory may grow by, in bytes.
const GROWTH_BYTES_MAX: u64 = 48 << 20;

fn large(id: &str) -> Vec<u8> {
    let mut body = envelope(id, &json!({"message": "with a dump"}));
    let header = json!({"type": "attachment", "length": ATTACHMENT_BYTES, "filename": "core"});
    body.extend_from_slice(format!("{header}\n").as_bytes());
    body.resize(body.len() + ATTACHMENT_BYTES, b'c');
    body.push(b'\n');
    body
}

/// A client that has sent all of an envelope but its last byte.
async fn sent_almost(server: &Server, body: &[u8]) -> TcpStream {
    let address = server.credentials.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        server.envelope_path(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() - 1]).await.unwrap();
    stream
}

async fn finished(mut stream: TcpStream) -> String {
    stream.write_all(b"\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn slow_clients_with_large_envelopes_hold_neither_memory_nor_anybody_up() {
    let server = Server::start().await;
    let before = server.memory();
    let ids: Vec<String> = (0..CLIENTS).map(|_| new_id()).collect();
    let mut slow = Vec::new();
    for id in &ids {
        slow.push(sent_almost(&server, &large(id)).await);
    }
    let growth = server.memory().saturating_sub(before);
    assert!(growth < GROWTH_BYTES_MAX, "memory grew by {growth} bytes while bodies come in");
    let quick = new_id();
    server.send_envelope(envelope(&quick, &json!({"message": "quick"}))).await.expect(200);
    server.wait_digested(&quick).await;

    let mut most = 0;
    let answers = async {
        let answers = futures_util::future::join_all(slow.into_iter().map(finished)).await;
        for answer in answers {
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    };
    tokio::pin!(answers);
    loop {
        tokio::select! {
            () = &mut answers => break,
            () = tokio::time::sleep(std::time::Duration::from_millis(5)) => most = most.max(server.memory()),
        }
    }
    let growth = most.saturating_sub(before);
    assert!(growth < GROWTH_BYTES_MAX, "memory grew by {growth} bytes while bodies are stored");
    for id in &ids {
        server.wait_digested(id).await;
    }
    let kept = server.number("SELECT COUNT(*) FROM attachment WHERE body IS NULL").await;
    assert_eq!(usize::try_from(kept).unwrap(), CLIENTS);
    until("the temporary files to be gone", async || {
        (std::fs::read_dir(server.data().join("tmp")).unwrap().count() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn small_bodies_that_inflate_to_large_ones_are_worked_on_one_after_the_other() {
    let server = Server::start().await;
    let before = server.memory();
    // Two gzip members make one stream; the second is the same for all, and made once.
    let ends = large("").len() - ATTACHMENT_BYTES - 1;
    let attachment = gzip(&large("")[ends..]);
    let bomb = |id: &String| {
        let whole = large(id);
        [gzip(&whole[..whole.len() - ATTACHMENT_BYTES - 1]), attachment.clone()].concat()
    };
    let ids: Vec<String> = (0..CLIENTS).map(|_| new_id()).collect();
    let send = |id| {
        let request = server.client().post(server.url(&server.envelope_path()));
        request.header("content-encoding", "gzip").body(bomb(id)).send()
    };
    let mut most = 0;
    let answers = futures_util::future::join_all(ids.iter().map(send));
    tokio::pin!(answers);
    let answers = loop {
        tokio::select! {
            answers = &mut answers => break answers,
            () = tokio::time::sleep(std::time::Duration::from_millis(5)) => most = most.max(server.memory()),
        }
    };
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 200));
    let growth = most.saturating_sub(before);
    assert!(growth < GROWTH_BYTES_MAX, "memory grew by {growth} bytes");
}
