//! A bare proxy, for scale: what hyper alone costs to pass a call on, measured in the same run, on the server's core.
//!
//! It remembers nothing, retries nothing and looks at nothing. It is this same program, started anew.

use std::{
    convert::Infallible,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::Command,
};

use anyhow::{Context, Result};
use http::{Request, Response, Uri};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

use crate::process::Process;

pub struct Proxy {
    pub addr: SocketAddr,
    pub process: Process,
}

impl Proxy {
    pub fn start(upstream: SocketAddr, core: usize) -> Result<Proxy> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = Process::start(command.args(["--proxy-to", &upstream.to_string()]), core)?;
        let mut line = String::new();
        BufReader::new(process.stdout()?).read_line(&mut line)?;
        let addr = line.trim().parse().with_context(|| format!("the proxy said {line:?} instead of its address"))?;
        Ok(Proxy { addr, process })
    }
}

/// Until the process is killed.
pub async fn serve(upstream: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let client = client.clone();
        let service = service_fn(move |request| {
            let client = client.clone();
            async move { Ok::<_, Infallible>(pass_on(&client, upstream, request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

type Passed = http_body_util::Either<Incoming, http_body_util::Empty<bytes::Bytes>>;

async fn pass_on(
    client: &Client<HttpConnector, Incoming>,
    upstream: SocketAddr,
    mut request: Request<Incoming>,
) -> Response<Passed> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = format!("http://{upstream}{path}").parse::<Uri>() else { return bad_gateway() };
    *request.uri_mut() = uri;
    match client.request(request).await {
        Ok(response) => response.map(Passed::Left),
        Err(_) => bad_gateway(),
    }
}

fn bad_gateway() -> Response<Passed> {
    let mut response = Response::new(Passed::Right(http_body_util::Empty::new()));
    *response.status_mut() = http::StatusCode::BAD_GATEWAY;
    response
}
