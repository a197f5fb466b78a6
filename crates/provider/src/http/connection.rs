//! One HTTP/1.1 connection, driven by whoever reads from it: no task stands between the socket and the reply, and
//! dropping the connection closes the socket at once.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;

use super::dial::Socket;

/// Also the limit of an answer's head; 8 KiB are taken to begin with.
const READ_BUFFER_BYTES_MAX: usize = 16 * 1024;

type Driver = http1::Connection<TokioIo<Box<dyn Socket>>, Full<Bytes>>;

pub(crate) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// `None` when the connection has ended.
    driver: Option<Driver>,
    /// Whether it has served a call before: then it may have been closed from the other side meanwhile.
    pub reused: bool,
}

impl Connection {
    pub async fn open(socket: Box<dyn Socket>) -> hyper::Result<Self> {
        let mut http = http1::Builder::new();
        // Not flattened: the buffer would keep the size of the largest request for as long as the connection lives.
        http.max_buf_size(READ_BUFFER_BYTES_MAX).writev(true);
        let (requests, driver) = http.handshake(TokioIo::new(socket)).await?;
        Ok(Connection { requests, driver: Some(driver), reused: false })
    }

    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        let mut answer = pin!(self.requests.send_request(request));
        let driver = &mut self.driver;
        std::future::poll_fn(|cx| {
            drive(driver, cx);
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// The next piece of an answer's body.
    pub fn poll_body(&mut self, body: &mut Incoming, cx: &mut Context) -> Poll<Option<hyper::Result<Bytes>>> {
        // The body is filled by the driver alone, so only the driver needs a waker.
        let mut never = Context::from_waker(Waker::noop());
        loop {
            let frame = match Pin::new(&mut *body).poll_frame(&mut never) {
                Poll::Pending => {
                    drive(&mut self.driver, cx);
                    Pin::new(&mut *body).poll_frame(&mut never)
                }
                ready => ready,
            };
            return match frame {
                Poll::Pending => Poll::Pending,
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => Poll::Ready(Some(Ok(data))),
                    Err(_trailers) => continue,
                },
            };
        }
    }

    /// Waits until the upstream closes it.
    pub async fn closed(&mut self) {
        std::future::poll_fn(|cx| {
            drive(&mut self.driver, cx);
            if self.driver.is_none() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Its errors reach the request or the body that they concern.
fn drive(driver: &mut Option<Driver>, cx: &mut Context) {
    if let Some(running) = driver
        && Pin::new(running).poll(cx).is_ready()
    {
        *driver = None;
    }
}
