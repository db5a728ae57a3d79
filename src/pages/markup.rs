//! Reads our own HTML strictly, for tests: balanced elements, references that lead somewhere, and nothing
//! that the content security policy would refuse.

use std::collections::HashSet;

const VOID: [&str; 6] = ["meta", "link", "input", "img", "br", "hr"];
/// Attributes that name the id of another element.
const REFERENCES: [&str; 5] =
    ["for", "aria-labelledby", "aria-describedby", "aria-controls", "data-copies"];

/// An element's start tag.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Tag {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a document consists of, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    pub(crate) tags: Vec<Tag>,
    pub(crate) problems: Vec<String>,
    open: Vec<String>,
}

/// Reads a document.
pub(crate) fn read(html: &str) -> Markup {
    let mut markup = Markup::default();
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        markup.text(text);
        let Some(end) = tag_end(after) else {
            markup.problems.push(format!("tag without end: <{}", head(after)));
            return markup;
        };
        markup.tag(&after[..end]);
        rest = &after[end + 1..];
    }
    markup.text(rest);
    if let Some(name) = markup.open.last() {
        markup.problems.push(format!("<{name}> is not closed"));
    }
    markup.check();
    markup
}

/// The place of the `>` that ends the tag, outside quotes.
fn tag_end(text: &str) -> Option<usize> {
    let mut is_quoted = false;
    text.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        byte == b'>' && !is_quoted
    })
}

fn head(text: &str) -> String {
    text.chars().take(60).collect()
}

impl Markup {
    fn text(&mut self, text: &str) {
        if text.contains('>') {
            self.problems.push(format!("bare > in text: {}", head(text)));
        }
        if self.open.last().is_some_and(|name| name == "script" || name == "style")
            && !text.is_empty()
        {
            self.problems.push(format!("inline script or style: {}", head(text)));
        }
    }

    fn tag(&mut self, tag: &str) {
        if tag.starts_with('!') {
            return;
        }
        if let Some(name) = tag.strip_prefix('/') {
            match self.open.pop() {
                Some(open) if open == name => {}
                open => self.problems.push(format!("</{name}> closes {open:?}")),
            }
            return;
        }
        let is_closed = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        let attributes = self.attributes(attributes);
        if !VOID.contains(&name) && !is_closed {
            self.open.push(name.to_owned());
        }
        self.tags.push(Tag { name: name.to_owned(), attributes });
    }

    fn attributes(&mut self, text: &str) -> Vec<(String, String)> {
        let mut attributes: Vec<(String, String)> = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
            let name = rest[..end].to_owned();
            rest = &rest[end..];
            let value = match rest.strip_prefix("=\"") {
                Some(quoted) => {
                    let end = quoted.find('"').unwrap_or(quoted.len());
                    rest = quoted.get(end + 1..).unwrap_or_default();
                    quoted[..end].to_owned()
                }
                None if rest.starts_with('=') => {
                    self.problems.push(format!("unquoted attribute: {}", head(text)));
                    return attributes;
                }
                None => String::new(),
            };
            if attributes.iter().any(|(known, _)| *known == name) {
                self.problems.push(format!("{name} twice: {}", head(text)));
            }
            attributes.push((name, value));
            rest = rest.trim_start();
        }
        attributes
    }

    fn check(&mut self) {
        let mut ids: HashSet<&str> = HashSet::new();
        let mut problems: Vec<String> = Vec::new();
        for id in self.tags.iter().filter_map(|tag| tag.attribute("id")) {
            if !ids.insert(id) {
                problems.push(format!("id {id} twice"));
            }
        }
        for tag in &self.tags {
            for (name, value) in &tag.attributes {
                if name == "style" || name.starts_with("on") {
                    problems.push(format!("<{}> has {name}", tag.name));
                }
                let anchor = value.strip_prefix('#').filter(|_| name == "href");
                let target = anchor.or((REFERENCES.contains(&name.as_str())).then_some(value));
                if let Some(missing) = target.filter(|target| !ids.contains(target)) {
                    problems.push(format!("<{}> {name} leads to no element: {missing}", tag.name));
                }
            }
            if tag.name == "script" && tag.attribute("src").is_none() {
                problems.push("script without src".to_owned());
            }
        }
        self.problems.extend(problems);
    }
}

#[test]
fn the_checker_finds_what_it_is_for() {
    let good =
        r##"<!doctype html><p id="a" hidden>x &gt; y</p><a href="#a">1<input value="a > b"></a>"##;
    assert_eq!(read(good).problems, Vec::<String>::new());
    for bad in [
        "<p>",
        "<p></b>",
        "<p style=\"color:red\"></p>",
        "<p onclick=\"x\"></p>",
        "<script>x</script>",
        "<p id=\"a\"></p><p id=\"a\"></p>",
        "<a href=\"#nowhere\"></a>",
        "<p class=a></p>",
        "a > b",
        "<p class=\"a\" class=\"b\"></p>",
    ] {
        assert!(!read(bad).problems.is_empty(), "{bad}");
    }
}

mod samples {
    use super::read;

    #[test]
    fn every_sample_is_sound() {
        for (name, html) in crate::sample::all().unwrap() {
            assert_eq!(read(&html).problems, Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn every_sample_has_one_heading_one_main_and_a_title() {
        for (name, html) in crate::sample::all().unwrap() {
            let count = |tag: &str| read(&html).tags.iter().filter(|t| t.name == tag).count();
            assert_eq!((count("h1"), count("main"), count("script")), (1, 1, 1), "{name}");
            assert!(!html.contains("<title></title>"), "{name}");
        }
    }

    #[test]
    fn every_posting_form_sends_the_token() {
        for (name, html) in crate::sample::all().unwrap() {
            let markup = read(&html);
            let names = |tag: &str, key: &str, value: &str| {
                let tags = markup.tags.iter().filter(|t| t.name == tag);
                tags.filter(|t| t.attribute(key) == Some(value)).count()
            };
            assert_eq!(names("form", "method", "post"), names("input", "name", "csrf"), "{name}");
        }
    }

    #[test]
    fn markup_in_events_stays_text() {
        let (_, html) = crate::sample::all()
            .unwrap()
            .into_iter()
            .find(|(name, _)| *name == "issue-hostile")
            .unwrap();
        assert!(html.contains("&#60;script&#62;alert(1)"));
        let markup = read(&html);
        assert!(markup.tags.iter().all(|tag| tag.name != "img"));
        let links = markup.tags.iter().filter_map(|tag| tag.attribute("href"));
        assert!(links.clone().all(|href| !href.to_ascii_lowercase().starts_with("javascript")));
    }
}
