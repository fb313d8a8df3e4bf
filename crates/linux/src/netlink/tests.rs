//! Messages and attributes without a socket.

use super::Error;
use super::read::{Attribute, Malformed, Message, Messages, Role};
use super::write::{Unwritable, Writer, attribute_size, flag, message_size};
use nix::errno::Errno;
use proptest::prelude::*;

fn one(bytes: &[u8]) -> Message<'_> {
    Messages::new(bytes).next().unwrap().unwrap()
}

/// An error message of the kernel: number, the request's header, then attributes.
fn answer(
    kind: u16,
    flags: u16,
    errno: i32,
    request: &[u8],
    body: impl FnOnce(&mut super::write::Attributes<'_>),
) -> Vec<u8> {
    let mut writer = Writer::new();
    let header = [&errno.to_ne_bytes()[..], request].concat();
    writer.message(kind, flags, 5, &header, body);
    writer.finish().unwrap()
}

#[test]
#[cfg(target_endian = "little")]
fn a_message_is_these_bytes() {
    let mut writer = Writer::new();
    writer.message(0x0a03, flag::CREATE | flag::ACK, 7, &[2, 0, 0, 0], |to| {
        to.text(1, "abc");
        to.nested(4, |to| {
            to.be32(1, 4);
            to.u8(2, 9);
        });
        to.native32(3, 1);
    });
    let bytes = writer.finish().unwrap();
    let expected: &[&[u8]] = &[
        &[56, 0, 0, 0, 3, 10, 5, 4, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0],
        &[8, 0, 1, 0, b'a', b'b', b'c', 0],
        &[20, 0, 4, 0x80, 8, 0, 1, 0, 0, 0, 0, 4, 5, 0, 2, 0, 9, 0, 0, 0],
        &[8, 0, 3, 0, 1, 0, 0, 0],
    ];
    assert_eq!(bytes, expected.concat());
    assert_eq!(message_size(4 + attribute_size(4) + attribute_size(16) + attribute_size(4)), bytes.len());
}

#[test]
fn attributes_are_read_as_written() {
    let mut writer = Writer::new();
    writer.message(0x20, 0, 1, &[0; 4], |to| {
        to.be64(1, 0x0102_0304_0506_0708);
        to.native16(2, 515);
        to.bytes(3, &[1, 2, 3, 4, 5]);
        to.nested(4, |to| to.text(1, ""));
        to.bytes(5, b"cut\0here");
    });
    let bytes = writer.finish().unwrap();
    let (_, attributes) = one(&bytes).split(4).unwrap();
    let found: Vec<Attribute<'_>> = attributes.collect::<Result<_, _>>().unwrap();
    assert_eq!(found.iter().map(|one| one.kind).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(found[0].be64(), Ok(0x0102_0304_0506_0708));
    assert_eq!(found[1].native16(), Ok(515));
    assert_eq!(found[1].be32(), Err(Malformed::Length { kind: 2, length: 2, expected: 4 }));
    assert_eq!(found[2].payload, [1, 2, 3, 4, 5]);
    assert_eq!(found[3].nested().next().unwrap().unwrap().string(), "");
    assert_eq!(found[4].string(), "cut");
}

#[test]
fn errors_come_with_words_whether_the_request_is_in_them_or_not() {
    let request = one(&answer(0x20, 0, 0, &[0; 32], |_| {})).payload.to_vec();
    let header = [&52_u32.to_ne_bytes()[..], &[0; 12]].concat();
    let whole = [&52_u32.to_ne_bytes()[..], &[0; 12], &request].concat();
    assert_eq!(whole.len(), 52);
    let words = |to: &mut super::write::Attributes<'_>| {
        to.text(1, "not like this");
        to.native32(2, 24);
    };
    for (flags, request) in [(0x300, &header), (0x200, &whole)] {
        let bytes = answer(2, flags, -22, request, words);
        let Role::Failed(failure) = one(&bytes).role().unwrap() else { panic!("no failure") };
        assert_eq!(
            (failure.errno, failure.message().as_str(), failure.offset),
            (Errno::EINVAL, "not like this", Some(24))
        );
    }
    let bytes = answer(2, 0x100, -1, &header, |_| {});
    let Role::Failed(failure) = one(&bytes).role().unwrap() else { panic!("no failure") };
    let error = Error::from_answer(failure.errno, failure.message());
    assert_eq!(error, Error::Refused { message: String::new() });
    assert_eq!(error.to_string(), "the kernel refused it (EPERM)");
    assert_eq!(one(&answer(2, 0x100, 0, &header, |_| {})).role(), Ok(Role::Acknowledged));
    assert_eq!(one(&answer(3, 0, 0, &[], |_| {})).role(), Ok(Role::Done(None)));
    let bytes = answer(3, 0x200, -4, &[], words);
    assert!(matches!(one(&bytes).role(), Ok(Role::Done(Some(failure))) if failure.message() == "not like this"));
}

#[test]
fn the_smallest_number_of_all_is_an_error_too() {
    let bytes = answer(2, 0, i32::MIN, &[0; 16], |_| {});
    assert!(matches!(one(&bytes).role(), Ok(Role::Failed(_))));
}

#[test]
fn lengths_are_not_believed() {
    assert!(Messages::new(&[]).next().is_none());
    for bytes in [
        &[1_u8; 15][..],
        &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let mut messages = Messages::new(bytes);
        assert!(matches!(messages.next(), Some(Err(Malformed::Message { .. }))));
        assert!(messages.next().is_none(), "what follows a broken length is not looked at");
    }
}

#[test]
fn what_is_too_long_is_an_error_and_not_cut() {
    let mut writer = Writer::new();
    writer.message(0x20, 0, 1, &[], |to| {
        to.nested(9, |to| {
            for _ in 0..5_000 {
                to.bytes(1, &[0; 12]);
            }
        });
    });
    assert_eq!(writer.finish(), Err(Unwritable::Attribute { kind: 9, length: 80_004 }));
}

proptest! {
    #[test]
    fn any_bytes_are_walked_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for message in Messages::new(&bytes).flatten() {
            let _ = message.role();
            if let Ok((_, attributes)) = message.split(4) {
                for attribute in attributes.flatten() {
                    let _ = (attribute.be32(), attribute.string(), attribute.nested().count());
                }
            }
        }
    }
}
