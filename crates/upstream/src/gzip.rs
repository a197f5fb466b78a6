//! Gzip members made by hand: small stored ones, and bombs.

/// `data` in stored blocks: a proper gzip member, not any smaller.
pub fn gzip(data: &[u8]) -> Vec<u8> {
    let mut member = HEADER.to_vec();
    let mut blocks = data.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        member.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        member.push(u8::from(blocks.peek().is_none()));
        member.extend(length.to_le_bytes());
        member.extend((!length).to_le_bytes());
        member.extend(block);
    }
    finish(member, crc32(data.iter().copied()), data.len())
}

/// A member that unpacks to `size` spaces from about a 159th of that.
pub fn gzip_bomb(size: usize) -> Vec<u8> {
    let mut bits = Bits { bytes: HEADER.to_vec(), pending: 0, count: 0 };
    bits.push(0b011, 3); // the last block, fixed Huffman codes
    let mut left = size;
    if left > 0 {
        bits.push_code(0x30 + u32::from(b' '), 8);
        left -= 1;
    }
    while left >= 258 {
        bits.push_code(0b1100_0101, 8); // length 258 …
        bits.push_code(0, 5); // … at distance 1
        left -= 258;
    }
    for _ in 0..left {
        bits.push_code(0x30 + u32::from(b' '), 8);
    }
    bits.push_code(0, 7);
    finish(bits.finish(), crc32(std::iter::repeat_n(b' ', size)), size)
}

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

fn finish(mut member: Vec<u8>, crc: u32, size: usize) -> Vec<u8> {
    member.extend(crc.to_le_bytes());
    member.extend((size as u32).to_le_bytes());
    member
}

/// Deflate's bit order: values lowest bit first, Huffman codes highest bit first.
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, width: u32) {
        self.pending |= value << self.count;
        self.count += width;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn push_code(&mut self, code: u32, width: u32) {
        self.push(code.reverse_bits() >> (32 - width), width);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes
    }
}

fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
    });
    !bytes.fold(!0, |crc, byte| table[((crc ^ u32::from(byte)) & 0xff) as usize] ^ (crc >> 8))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn gzip_itself_unpacks_what_we_pack() {
        for text in ["".to_owned(), "你好".to_owned(), "x".repeat(70_000)] {
            assert_eq!(gunzip(gzip(text.as_bytes())), text.as_bytes());
        }
        for size in [0, 1, 258, 259, 1_000_000] {
            assert_eq!(gunzip(gzip_bomb(size)), " ".repeat(size).as_bytes());
        }
    }

    #[test]
    fn a_bomb_is_small() {
        assert!(gzip_bomb(10_000_000).len() < 64 * 1024);
    }

    fn gunzip(member: Vec<u8>) -> Vec<u8> {
        let mut child = Command::new("gzip")
            .arg("-dc")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gzip is installed");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let writer = std::thread::spawn(move || stdin.write_all(&member));
        let mut unpacked = Vec::new();
        child.stdout.take().expect("stdout is piped").read_to_end(&mut unpacked).expect("gzip writes");
        writer.join().expect("the writer does not panic").expect("gzip reads all");
        assert!(child.wait().expect("gzip ends").success());
        unpacked
    }
}
