//! A wire that can be cut: connections to one address go through here, until they do not.

use std::net::SocketAddr;
use std::sync::Mutex;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// Forwards connections to a server. Cut, it refuses new ones and breaks those that stand.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    target: String,
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl Proxy {
    /// Forwards to `http://host:port`.
    pub(crate) async fn to(url: &str) -> Self {
        let target = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let listening = Mutex::new(Some(forward(listener, target.clone())));
        Self { address, target, listening }
    }

    /// Returns its own address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks every connection and refuses further ones.
    pub(crate) async fn cut(&self) {
        let listening = self.listening.lock().expect("nobody panicked").take();
        if let Some(listening) = listening {
            listening.abort();
            let _ = listening.await;
        }
    }

    /// Forwards again.
    pub(crate) fn mend(&self) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("a socket");
        socket.bind(self.address).expect("the port is still free");
        let listener = socket.listen(128).expect("the port is still free");
        *self.listening.lock().expect("nobody panicked") =
            Some(forward(listener, self.target.clone()));
    }
}

/// All connections live in one task, so that they end with it.
fn forward(listener: TcpListener, target: String) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let target = target.clone();
            connections.spawn(async move {
                if let Ok(mut server) = TcpStream::connect(target).await {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    })
}
