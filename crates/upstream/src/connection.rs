//! One connection: reads requests, plays scripts, notices when the client leaves.

use std::{io, sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    time::{Instant, sleep, sleep_until},
};

use crate::{
    http1,
    log::Outcome,
    render::{Framing, LAST_CHUNK, Rendered},
    server::Shared,
    step::Step,
};

const INPUT_BYTES: usize = 4 * 1024;
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
const PIPELINED_BYTES_MAX: usize = 1 << 20;

/// What follows a script that ran to its end.
enum After {
    NextRequest,
    Close,
    Reset,
}

pub(crate) async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut input = BytesMut::with_capacity(INPUT_BYTES);
    let mut out = BytesMut::new();
    while let Ok(Some(request)) = http1::read_request(&mut stream, &mut input).await {
        let last = http1::header_is(&request.headers, "connection", "close");
        let (request, mut ticket) = shared.log.begin(request);
        let script = shared.script(&request);

        let (mut reader, writer) = stream.split();
        let mut player = Player { shared: &shared, writer, out: &mut out, sent: &mut ticket.bytes_sent, paced: None };
        let played = tokio::select! {
            biased;
            played = player.play(&script) => played,
            () = left(&mut reader, &mut input) => Err(io::ErrorKind::BrokenPipe.into()),
        };
        ticket.outcome = if played.is_ok() { Outcome::Completed } else { Outcome::ClientLeft };
        // A reset happens before the log says so, or a test that waits for the log would race with it.
        match played {
            Ok(After::NextRequest) if !last => drop(ticket),
            Ok(After::Reset) => {
                let _ = stream.set_zero_linger();
                return drop(stream);
            }
            Ok(_) => {
                let _ = stream.shutdown().await;
                return;
            }
            Err(_) => return,
        }
    }
}

/// Resolves when the client closes or resets its side.
async fn left(reader: &mut ReadHalf<'_>, input: &mut BytesMut) {
    while input.len() < PIPELINED_BYTES_MAX {
        if matches!(reader.read_buf(input).await, Ok(0) | Err(_)) {
            return;
        }
    }
    std::future::pending().await
}

struct Player<'a> {
    shared: &'a Shared,
    writer: WriteHalf<'a>,
    out: &'a mut BytesMut,
    sent: &'a mut u64,
    paced: Option<Instant>,
}

impl Player<'_> {
    async fn play(&mut self, script: &Rendered) -> io::Result<After> {
        self.out.clear();
        let framing = script.framing;
        let mut open = framing.chunked;
        for step in &script.steps {
            match step {
                Step::Raw(bytes) => self.gather(bytes).await?,
                Step::Body(bytes) => self.body(bytes, framing).await?,
                Step::Repeat(bytes, times) => self.repeat(bytes, *times, framing).await?,
                Step::Flush => self.flush().await?,
                Step::Pause(delay) => self.pause(*delay).await?,
                Step::Pace(delay) => self.pace(*delay).await?,
                Step::Gate(name) => self.gate(name).await?,
                Step::Hang => {
                    self.flush().await?;
                    std::future::pending().await
                }
                Step::End => {
                    self.gather(LAST_CHUNK).await?;
                    open = false;
                }
                Step::Close => return self.flush().await.map(|()| After::Close),
                Step::Reset => return self.flush().await.map(|()| After::Reset),
            }
        }
        if open {
            self.out.extend_from_slice(LAST_CHUNK);
        }
        self.flush().await.map(|()| After::NextRequest)
    }

    async fn body(&mut self, bytes: &[u8], framing: Framing) -> io::Result<()> {
        framing.write(bytes, self.out);
        self.flush_if_large().await
    }

    async fn repeat(&mut self, bytes: &[u8], times: u64, framing: Framing) -> io::Result<()> {
        for _ in 0..times {
            self.body(bytes, framing).await?;
        }
        Ok(())
    }

    async fn gather(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.extend_from_slice(bytes);
        self.flush_if_large().await
    }

    async fn flush_if_large(&mut self) -> io::Result<()> {
        if self.out.len() < OUTPUT_BYTES_MAX {
            return Ok(());
        }
        self.flush().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            *self.sent += self.writer.write_buf(self.out).await? as u64;
        }
        Ok(())
    }

    async fn pause(&mut self, delay: Duration) -> io::Result<()> {
        self.flush().await?;
        self.paced = None;
        sleep(delay).await;
        Ok(())
    }

    async fn pace(&mut self, delay: Duration) -> io::Result<()> {
        self.flush().await?;
        let due = self.paced.unwrap_or_else(Instant::now) + delay;
        self.paced = Some(due);
        sleep_until(due).await;
        Ok(())
    }

    async fn gate(&mut self, name: &str) -> io::Result<()> {
        self.flush().await?;
        self.paced = None;
        let _waiting = self.shared.log.at_gate(name);
        self.shared.gates.pass(name).await;
        Ok(())
    }
}
