//! The server of the example, over a real connection.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

#[path = "../../examples/custom_server.rs"]
#[expect(dead_code, reason = "its `main` is not called here")]
mod custom_server;

#[tokio::test]
async fn the_custom_server_of_the_example_serves_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name| directory.path().join(name).display().to_string();
    let server = custom_server::server(&path("t.db"), &path("artifacts"))
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.serve(listener, async {
        let _ = stopped.await;
    }));

    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /api/2.0/mlflow/experiments/get?experiment_id=0 HTTP/1.1\r\n\
                   Host: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("\"name\":\"Default\""), "{answer}");

    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
