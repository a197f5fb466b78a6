//! Reads HTTP/1.1 requests: just enough for well-behaved clients.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::request::Request;

const HEAD_BYTES_MAX: usize = 1 << 20;
const BODY_BYTES_MAX: usize = 1 << 30;

/// The next request on the connection; `None` when the client closed it in between.
pub(crate) async fn read_request(stream: &mut TcpStream, input: &mut BytesMut) -> io::Result<Option<Request>> {
    let Some(head) = read_head(stream, input).await? else { return Ok(None) };
    let (method, path, headers) = parse_head(&head).ok_or_else(|| invalid("a malformed request head"))?;

    if header_is(&headers, "expect", "100-continue") {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let body = if header_is(&headers, "transfer-encoding", "chunked") {
        read_chunked(stream, input).await?
    } else {
        read_sized(stream, input, content_length(&headers)?).await?
    };
    Ok(Some(Request::new(method, path, headers, body)))
}

pub(crate) fn header_is(headers: &HeaderMap, name: &str, value: &str) -> bool {
    headers.get(name).is_some_and(|found| found.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
}

async fn read_head(stream: &mut TcpStream, input: &mut BytesMut) -> io::Result<Option<BytesMut>> {
    let mut searched: usize = 0;
    loop {
        let from = searched.saturating_sub(3);
        if let Some(at) = input[from..].windows(4).position(|window| window == b"\r\n\r\n") {
            return Ok(Some(input.split_to(from + at + 4)));
        }
        searched = input.len();
        if searched > HEAD_BYTES_MAX {
            return Err(invalid("a request head over 1 MiB"));
        }
        if stream.read_buf(input).await? == 0 {
            return Ok(None);
        }
    }
}

fn parse_head(head: &[u8]) -> Option<(Method, String, HeaderMap)> {
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let mut request_line = lines.next()?.split(' ');
    let method = request_line.next()?.parse().ok()?;
    let path = request_line.next()?.to_owned();

    let mut headers = HeaderMap::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).ok()?,
            HeaderValue::from_bytes(value.trim().as_bytes()).ok()?,
        );
    }
    Some((method, path, headers))
}

fn content_length(headers: &HeaderMap) -> io::Result<usize> {
    let Some(length) = headers.get("content-length") else { return Ok(0) };
    let length = length.to_str().ok().and_then(|length| length.parse().ok());
    length.ok_or_else(|| invalid("a malformed content-length"))
}

async fn read_sized(stream: &mut TcpStream, input: &mut BytesMut, length: usize) -> io::Result<Bytes> {
    if length > BODY_BYTES_MAX {
        return Err(invalid("a request body over 1 GiB"));
    }
    while input.len() < length {
        input.reserve(length - input.len());
        if stream.read_buf(input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(input.split_to(length).freeze())
}

async fn read_chunked(stream: &mut TcpStream, input: &mut BytesMut) -> io::Result<Bytes> {
    let mut body = BytesMut::new();
    loop {
        let line = read_line(stream, input).await?;
        let size = std::str::from_utf8(&line).ok().and_then(|line| line.split(';').next());
        let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let size = size.ok_or_else(|| invalid("a malformed chunk size"))?;
        if size == 0 {
            while !read_line(stream, input).await?.is_empty() {}
            return Ok(body.freeze());
        }
        body.extend_from_slice(&read_sized(stream, input, size).await?);
        read_line(stream, input).await?;
    }
}

async fn read_line(stream: &mut TcpStream, input: &mut BytesMut) -> io::Result<Bytes> {
    loop {
        if let Some(at) = input.windows(2).position(|window| window == b"\r\n") {
            let line = input.split_to(at).freeze();
            input.advance(2);
            return Ok(line);
        }
        if stream.read_buf(input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
