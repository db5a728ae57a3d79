use super::*;

fn parse(json: &str) -> Map<'_> {
    Map::parse(json.as_bytes()).unwrap()
}

/// Writes segments as `line:column`, with `→source:line:column` and the name.
fn shown(map: &Map<'_>) -> Vec<String> {
    let shown = |segment: &Segment| {
        let Segment { line, column, source, source_line, source_column, name } = segment;
        match (*source, *name) {
            (NONE, _) => format!("{line}:{column}"),
            (_, NONE) => format!("{line}:{column}→{source}:{source_line}:{source_column}"),
            _ => format!("{line}:{column}→{source}:{source_line}:{source_column} {name}"),
        }
    };
    map.segments.iter().map(shown).collect()
}

#[track_caller]
fn check(mappings: &str, expected: &[&str]) -> Vec<String> {
    let json =
        format!(r#"{{"version":3,"sources":["a","b"],"names":["n"],"mappings":"{mappings}"}}"#);
    let map = parse(&json);
    assert_eq!(shown(&map), expected);
    map.problems
}

#[track_caller]
fn refused(json: &str, expected: &str) {
    let error = Map::parse(json.as_bytes()).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn segments_are_relative_to_each_other() {
    check("AAAA,CAACA;ACDD,E", &["0:0→0:0:0", "0:1→0:0:1 0", "1:0", "1:2"]);
    check("AACA,CAACA;ACDD,E", &["0:0→0:1:0", "0:1→0:1:1 0", "1:0→1:0:0", "1:2"]);
    check(";;AAAA,EACE", &["2:0→0:0:0", "2:2→0:1:2"]);
    check(",,A,;", &["0:0"]);
    check("", &[]);
}

#[test]
fn columns_out_of_order_are_sorted() {
    check("EAAA,DAEC", &["0:1→0:2:1", "0:2→0:0:0"]);
}

#[test]
fn places_that_cannot_be_are_unmapped() {
    for mappings in ["AEAA", "ADAA", "AADA", "AAAD", "AAggggggC"] {
        let json = format!(r#"{{"sources":["a","b"],"names":[],"mappings":"{mappings}"}}"#);
        let Ok(map) = Map::parse(json.as_bytes()) else { continue };
        assert_eq!(shown(&map), ["0:0"], "{mappings}");
        assert_eq!(map.problems.len(), 1);
    }
    assert_eq!(check("AAAAC", &["0:0→0:0:0"]).len(), 1);
    assert_eq!(check("D", &[]).len(), 1);
}

#[test]
fn numbers_that_shift_all_others_are_refused() {
    refused(r#"{"sources":[],"mappings":"A;!"}"#, "line 2");
    refused(r#"{"sources":[],"mappings":"AA"}"#, "2 numbers");
    refused(r#"{"sources":[]}"#, "mappings or sections");
    refused("7", "not read");
    refused("", "not read");
}

#[test]
fn odd_fields_cost_nothing_else() {
    let json = r#"{"version":"3","file":7,"sources":["a",null,3,{}],"sourcesContent":["x",null],"sourceRoot":null,
        "names":["n",7,null,["m"]],"mappings":"ACAAE","x":[{}],"debugId":7,"debug_id":"15ac1bd80d1f5b0c9f2a0c1d2e3f4a5b"}"#;
    let map = parse(json);
    assert_eq!(map.names, ["n", "7", "", ""]);
    let names: Vec<_> = map.sources.iter().map(|source| source.name.as_deref()).collect();
    assert_eq!(names, [Some("a"), None, Some("3"), None]);
    assert_eq!(map.sources[0].text.as_deref(), Some("x"));
    assert_eq!(shown(&map), ["0:0→1:0:0 2"]);
    assert!(map.debug_id.is_some());
}

#[test]
fn source_root_goes_in_front_of_relative_sources() {
    let json =
        r#"{"sources":["a.ts","/b.ts","webpack:///c.ts"],"sourceRoot":"/src/","mappings":""}"#;
    let names: Vec<_> = parse(json).sources.into_iter().filter_map(|source| source.name).collect();
    assert_eq!(names, ["/src/a.ts", "/b.ts", "webpack:///c.ts"]);
}

#[test]
fn the_line_against_script_inclusion_is_cut_off() {
    assert_eq!(parse(")]}'\n{\"mappings\":\"A\"}").segments.len(), 1);
    assert_eq!(parse("\u{feff}{\"mappings\":\"A\"}").segments.len(), 1);
    refused(")]}'", "not read");
}

#[test]
fn sections_come_out_flat() {
    let json = r#"{"version":3,"sections":[
        {"offset":{"line":1,"column":4},"map":{"sources":["b"],"names":["m"],"mappings":"CAAAA;A"}},
        {"offset":{"line":0,"column":0},"map":{"sources":["a"],"names":["n"],"mappings":"AAAAA;AACA,IAAA"}}]}"#;
    let map = parse(json);
    assert_eq!(
        shown(&map),
        ["0:0", "0:0→0:0:0 0", "1:0→0:1:0", "1:4", "1:5→1:0:0 1", "2:0"],
        "a section begins unmapped, and one that reaches into the next is cut"
    );
    assert_eq!(map.problems, ["a section reaches into the next one"]);
    assert_eq!(map.names, ["n", "m"]);
}

#[test]
fn sections_nest_and_may_lack_their_map() {
    let json = r#"{"sections":[{"offset":{"line":2,"column":3},"map":
        {"sections":[{"offset":{"line":0,"column":1},"map":{"sources":["a"],"mappings":"AAAA"}},
                     {"offset":{"line":1,"column":0},"url":"b.map"}]}}]}"#;
    let map = parse(json);
    assert_eq!(shown(&map), ["2:3", "2:4", "2:4→0:0:0", "3:0"]);
    assert_eq!(map.problems.len(), 1);
}

#[test]
fn hostile_sizes_saturate() {
    let json = r#"{"sections":[{"offset":{"line":4294967295,"column":4294967295},"map":{"sources":["a"],"mappings":"CAAA;CAAA"}}]}"#;
    assert_eq!(shown(&parse(json)).last().unwrap(), &format!("{0}:{0}→0:0:0", u32::MAX));
}

proptest::proptest! {
    /// The `sourcemap` crate reads the same, where it reads at all.
    #[test]
    fn agrees_with_another_reader(mappings in "[A-Fc-j;,]{0,60}") {
        let json = format!(r#"{{"version":3,"sources":["a","b","c"],"names":["n","m"],"mappings":"{mappings}"}}"#);
        let theirs = sourcemap::SourceMap::from_slice(json.as_bytes());
        if let (Ok(theirs), Ok(ours)) = (theirs, Map::parse(json.as_bytes()))
            && ours.problems.is_empty()
        {
            let mut theirs: Vec<_> = theirs.tokens().map(|token| {
                let raw = token.get_raw_token();
                let origin = raw.src_id != NONE;
                let [source_line, source_column] = [raw.src_line, raw.src_col].map(|at| if origin { at } else { 0 });
                (raw.dst_line, raw.dst_col, raw.src_id, source_line, source_column, raw.name_id)
            }).collect();
            let mut ours: Vec<_> = ours.segments.iter().map(|segment| {
                (segment.line, segment.column, segment.source, segment.source_line, segment.source_column, segment.name)
            }).collect();
            theirs.sort_unstable();
            ours.sort_unstable();
            proptest::prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(0u8.., 0..200)) {
        let _ = Map::parse(&bytes);
    }

    #[test]
    fn no_mappings_panic(mappings in "[A-Za-z0-9+/;,]{0,80}") {
        let _ = Map::parse(format!(r#"{{"sources":["a"],"names":["n"],"mappings":"{mappings}"}}"#).as_bytes());
    }
}
