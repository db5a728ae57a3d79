use proptest::prelude::*;

use super::*;

const UUID: &str = "c0bcc3f1-9827-fe65-3058-404b2831d9e6";

#[test]
fn empty_file_is_refused_with_its_own_reason() {
    assert_eq!(identify(b"", "app"), Err(Unusable::Empty));
}

#[test]
fn breakpad_file_is_identified_by_its_module_line() {
    let text = "MODULE Linux x86_64 C0BCC3F19827FE653058404B2831D9E60 crash\n\
                INFO CODE_ID F1C3BCC0279865FE3058404B2831D9E6386ED23B\n\
                FUNC 1000 10 0 main\n\
                1000 10 7 0\n\
                STACK CFI INIT 1000 10 .cfa: $rsp 8 + .ra: .cfa -8 + ^\n";
    let identified = identify(text.as_bytes(), "crash.sym").unwrap();
    assert_eq!(identified.format, FileFormat::Breakpad);
    assert_eq!(identified.debug_id.to_string(), UUID);
    assert_eq!(identified.code_id.unwrap().as_str(), "f1c3bcc0279865fe3058404b2831d9e6386ed23b");
    assert_eq!(identified.arch, "x86_64");
    assert_eq!(identified.object_kind, ObjectKind::Debug);
    assert_eq!(identified.features.names(), ["debug", "unwind"]);
    assert_eq!(identified.notes, ["no symbol table"]);
}

#[test]
fn archive_and_unknown_bytes_say_what_they_are() {
    let message = |bytes: &[u8]| identify(bytes, "upload").unwrap_err().to_string();
    assert!(message(b"PK\x03\x04aaaaaaaaaaaaaaaaaaaa").contains("zip archive"));
    assert!(message(b"!<arch>\n aaaaaaaaaaaaaaaaaaa").contains("static library"));
    assert!(message(b"hello, this is no object file").contains("no known debug file format"));
}

#[test]
fn truncated_elf_header_is_malformed() {
    let error = identify(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0", "app").unwrap_err();
    assert!(matches!(error, Unusable::Malformed(_)), "{error:?}");
}

#[test]
fn identified_survives_the_worker_pipe() {
    let text = "MODULE Linux x86_64 C0BCC3F19827FE653058404B2831D9E60 crash\nFUNC 1000 10 0 main\n";
    let identified = identify(text.as_bytes(), "crash.sym").unwrap();
    let json = serde_json::to_string(&identified).unwrap();
    assert!(json.contains(r#""format":"breakpad","object_kind":"dbg""#), "{json}");
    assert_eq!(serde_json::from_str::<Identified>(&json).unwrap(), identified);
}

fn own_executable() -> Vec<u8> {
    std::fs::read(std::env::current_exe().unwrap()).unwrap()
}

#[test]
fn own_test_binary_is_an_elf_with_debug_info() {
    let identified = identify(&own_executable(), "symbolicate").unwrap();
    assert_eq!(identified.format, FileFormat::Elf);
    assert_eq!(
        identified.object_kind,
        ObjectKind::Library,
        "position-independent programs are `lib`"
    );
    assert_eq!(identified.features.names(), ["debug", "symtab", "unwind"]);
    let code_id = identified.code_id.unwrap();
    assert_eq!(DebugId::from_build_id(&code_id.bytes().unwrap()).unwrap(), identified.debug_id);
    assert_eq!(identified.notes, Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn random_bytes_with_a_known_magic_never_panic(magic in 0_usize..9, tail in prop::collection::vec(any::<u8>(), 0..600)) {
        let magics: [&[u8]; 9] = [
            b"", b"\x7fELF\x02\x01\x01", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0\x02", b"MZ",
            b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0", b"\0asm\x01\0\0\0", b"BSJB", b"SYSB\x02\0\0\0",
        ];
        let mut bytes = magics[magic].to_vec();
        bytes.extend_from_slice(&tail);
        let _ = identify(&bytes, "random");
    }
}
