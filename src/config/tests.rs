//! Layering, and problems with their places.

use super::*;

/// A configuration file in a folder of its own, variables and flags.
#[derive(Default)]
struct Given {
    file: Option<&'static str>,
    environment: &'static [(&'static str, &'static str)],
    flags: &'static [(&'static str, &'static str, &'static str)],
}

fn read(given: &Given) -> (Config, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = Sources {
        environment: given
            .environment
            .iter()
            .map(|(name, value)| (String::from(*name), String::from(*value)))
            .collect(),
        flags: given
            .flags
            .iter()
            .map(|(flag, key, value)| (*flag, *key, String::from(*value)))
            .collect(),
        ..Sources::default()
    };
    if let Some(text) = given.file {
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        sources.flags.push(("--data", "data", folder.path().display().to_string()));
    }
    let (config, problems) = Config::read(&sources);
    let place = format!("{}/", folder.path().display());
    (config, problems.iter().map(|problem| problem.to_string().replace(&place, "")).collect())
}

fn check_problems(given: &Given, expected: &[&str]) {
    assert_eq!(read(given).1, expected);
}

#[test]
fn without_anything_there_are_defaults() {
    let (config, problems) = read(&Given::default());
    assert!(problems.is_empty());
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.data, Path::new("./symbolist-data"));
}

#[test]
fn flags_beat_variables_beat_the_file() {
    let mut given = Given { file: Some("listen = \"127.0.0.1:1\""), ..Given::default() };
    let port = |given: &Given| read(given).0.server.listen.port();
    assert_eq!(port(&given), 1);
    given.environment = &[("SYMBOLIST_LISTEN", "127.0.0.1:2")];
    assert_eq!(port(&given), 2);
    given.flags = &[("--listen", "listen", "127.0.0.1:3")];
    assert_eq!(port(&given), 3);
    assert_eq!(read(&given).1, Vec::<String>::new());
}

#[test]
fn values_of_every_toml_type_are_read() {
    let file = "trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n[digest]\nbatch = 64\n[limits]\nchunk_bytes = 1048576";
    let (config, problems) = read(&Given { file: Some(file), ..Given::default() });
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(config.digest.batch, 64);
    assert_eq!(config.limits.chunk_bytes.to_string(), "1MiB");
    assert_eq!(config.server.trusted_proxies.len(), 2);
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let given = Given {
        file: Some(
            "lisen = \"127.0.0.1:1\"\n\n[limits]\nevent_bytes_max = \"5 miles\"\nchunk_bytes = \"3MiB\"\n",
        ),
        environment: &[("SYMBOLIST_LOG_FORMAT", "xml"), ("SYMBOLIST_DIGEST_BACH", "3")],
        flags: &[("--listen", "listen", "here")],
    };
    check_problems(
        &given,
        &[
            "flag --listen: `listen` is `here`, expected an address with port such as 127.0.0.1:8000 or [::]:8000",
            "symbolist.toml line 4: `limits.event_bytes_max` is `5 miles`, expected a size such as 512KiB, 5MiB or 2GiB",
            "environment SYMBOLIST_LOG_FORMAT: `log.format` is `xml`, expected one of text json",
            "symbolist.toml line 5: `limits.chunk_bytes` is 3MiB, expected a power of two such as 8MiB",
            "symbolist.toml line 1: there is no setting `lisen`: did you mean `listen`?",
            "environment SYMBOLIST_DIGEST_BACH: there is no such setting: did you mean `SYMBOLIST_DIGEST_BATCH`?",
        ],
    );
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let (_, problems) =
        read(&Given { file: Some("listen = \"127.0.0.1:1\"\nlog ="), ..Given::default() });
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("symbolist.toml line 2: "), "{problems:?}");
}

#[test]
fn a_named_file_must_exist() {
    let sources = Sources { file: Some(PathBuf::from("/nowhere/x.toml")), ..Sources::default() };
    let error = Config::load(&sources).unwrap_err().to_string();
    assert!(error.contains("/nowhere/x.toml: cannot be read"), "{error}");
}

#[test]
fn the_file_in_the_data_folder_cannot_move_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), "data = \"elsewhere\"").unwrap();
    let environment = vec![("SYMBOLIST_DATA".to_owned(), folder.path().display().to_string())];
    let (config, problems) = Config::read(&Sources { environment, ..Sources::default() });
    assert_eq!(problems, []);
    assert_eq!(config.data, folder.path());
}

#[test]
fn s3_needs_a_bucket_and_keys() {
    let given = Given { environment: &[("SYMBOLIST_BLOBS_KIND", "s3")], ..Given::default() };
    let (_, problems) = read(&given);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].contains("`blobs.s3.bucket` is not set"));
}

#[test]
fn variables_that_kubernetes_sets_are_not_settings() {
    let environment = &[
        ("SYMBOLIST_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ("SYMBOLIST_SERVICE_HOST", "10.0.0.1"),
    ];
    check_problems(&Given { environment, ..Given::default() }, &[]);
}

#[test]
fn shown_configuration_can_be_read_again_and_hides_secrets() {
    let file = "public_url = \"https://errors.example.com\"\n[blobs.s3]\nsecret_key = \"hush\"";
    let environment = &[("SYMBOLIST_DATABASE_URL", "postgres://me:hush@db/x")];
    let (config, problems) = read(&Given { file: Some(file), environment, ..Given::default() });
    assert_eq!(problems, Vec::<String>::new());
    let shown = config.show();
    assert!(!shown.contains("hush"), "{shown}");
    assert!(shown.contains("# environment SYMBOLIST_DATABASE_URL"), "{shown}");
    assert!(shown.contains("symbolist.toml line 1"), "{shown}");
    let again = tempfile::tempdir().unwrap();
    let path = again.path().join("shown.toml");
    std::fs::write(&path, &shown).unwrap();
    let (_, problems) = Config::read(&Sources { file: Some(path), ..Sources::default() });
    assert_eq!(problems, []);
}

#[test]
fn manual_knows_every_setting_and_its_default() {
    let manual = include_str!("../../docs/configuration.md");
    for setting in &read(&Given::default()).0.shown {
        let row = manual.lines().find(|line| line.starts_with(&format!("| `{}` |", setting.key)));
        let row = row.unwrap_or_else(|| panic!("{} is not in docs/configuration.md", setting.key));
        let default = row.split('|').nth(2).unwrap().trim();
        let shown = setting.literal.as_deref().map(|literal| literal.trim_matches('"'));
        let is_said = match shown {
            Some("[]") => default == "none",
            Some(_) if setting.key == "workers.count" => default == "one per processor",
            Some(literal) => default == format!("`{literal}`"),
            None => !default.is_empty(),
        };
        assert!(is_said, "{} is {shown:?} by default, the manual says {default}", setting.key);
    }
}
