//! What a frame shows of a source's name: bundlers write URLs, relative paths and inventions of their own.

/// The parts of a symbolicated JavaScript frame that come from its source's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUrl {
    /// What is shown: `./src/cart.ts`, `../src/cart.ts`.
    pub filename: String,
    /// The whole name, joined with the map's URL if relative: `webpack://shop/./src/cart.ts`.
    pub abs_path: String,
    /// Path without host, query and extension, `None` where the name is no URL: `src/cart`.
    pub module: Option<String>,
}

/// Splits a source's name; `base` is the URL of the map, or of the script if the map has none.
///
/// After Sentry's own rules (symbolicator-js and sentry's `lang/javascript`): `webpack:///./src/x.ts` shows
/// `./src/x.ts` and keeps the URL as `abs_path`; `/~/` stands for `node_modules`.
pub fn source_url_parts(source: &str, base: Option<&str>) -> SourceUrl {
    let abs_path = match base {
        Some(base) => joined(base, source),
        None => source.to_owned(),
    };
    let module = module(&abs_path);
    SourceUrl { filename: filename(source), abs_path, module }
}

/// Returns whether code of this name is the user's own: not `node_modules`, webpack's vendor names or its runtime.
///
/// `None` for an empty name.
pub fn in_app(name: &str) -> Option<bool> {
    if name.is_empty() {
        return None;
    }
    let shown = filename(name);
    let is_foreign = shown.starts_with("~/")
        || name.contains("/~/")
        || name.split(['/', '\\']).any(|component| component == "node_modules")
        || ["webpack/bootstrap", "webpack/runtime", "(webpack)"]
            .iter()
            .any(|prefix| shown.starts_with(prefix));
    Some(!is_foreign)
}

fn filename(source: &str) -> String {
    let Some((scheme, rest)) = source.split_once("://") else { return source.to_owned() };
    let path = match scheme {
        "webpack" | "webpack-internal" | "turbopack" | "rollup" | "vite" | "parcel" | "ng" => {
            rest.split_once('/').map_or(rest, |(_namespace, path)| path)
        }
        _ => return source.to_owned(),
    };
    let path = path.strip_prefix("[project]/").unwrap_or(path);
    match path.strip_prefix("~/").or_else(|| path.strip_prefix("./~/")) {
        Some(vendor) => format!("~/{vendor}"),
        None => path.to_owned(),
    }
}

/// Resolves `reference` against the URL or path `base`, whose last component is a file.
fn joined(base: &str, reference: &str) -> String {
    let (scheme, after) =
        base.split_once("://").map_or(("", base), |(scheme, after)| (scheme, after));
    let is_absolute = reference.contains("://")
        || reference.starts_with("data:")
        || matches!(reference.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic());
    if is_absolute || (reference.starts_with('/') && scheme.is_empty()) {
        return reference.to_owned();
    }
    let after = after.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = match (scheme, after.find('/')) {
        ("", _) => ("", after),
        (_, Some(slash)) => after.split_at(slash),
        (_, None) => (after, "/"),
    };
    let path = match reference.strip_prefix('/') {
        Some(rooted) => resolved("/", rooted),
        None => resolved(&path[..path.rfind('/').map_or(0, |slash| slash + 1)], reference),
    };
    match scheme {
        "" => path,
        scheme => format!("{scheme}://{host}{path}"),
    }
}

/// Appends `reference` to the folder `folder`, resolving `.` and `..`, which cannot leave the root.
fn resolved(folder: &str, reference: &str) -> String {
    let root = if folder.starts_with('/') { "/" } else { "" };
    let mut components: Vec<&str> =
        folder.split('/').filter(|component| !component.is_empty()).collect();
    for component in reference.split(['/', '\\']) {
        match component {
            "" | "." => {}
            ".." if components.last().is_some_and(|last| !matches!(*last, ".." | "~")) => {
                components.truncate(components.len() - 1);
            }
            ".." if !root.is_empty() || components.last() == Some(&"~") => {}
            component => components.push(component),
        }
    }
    format!("{root}{}", components.join("/"))
}

/// Names of folders that say nothing when a module's path begins with them.
const NOISE: [&str; 4] = ["js", "build", "static", "node_modules"];

fn module(abs_path: &str) -> Option<String> {
    let (scheme, rest) = abs_path.split_once("://")?;
    if !matches!(scheme, "http" | "https" | "webpack" | "turbopack" | "app") {
        return None;
    }
    let path = rest.split_once('/')?.1.split(['?', '#']).next()?;
    let path = path
        .rsplit_once('.')
        .filter(|(stem, extension)| !stem.is_empty() && !extension.contains('/'))
        .map_or(path, |(stem, _)| stem);
    let path = path.strip_suffix(".min").unwrap_or(path);
    let components: Vec<&str> =
        path.split('/').filter(|component| !matches!(*component, "" | "." | "..")).collect();
    let after_hash =
        components.iter().rposition(|component| is_hash(component)).map_or(0, |at| at + 1);
    let components = &components[after_hash.min(components.len().saturating_sub(1))..];
    let first = components.iter().position(|component| !is_noise(component)).unwrap_or(0);
    let module = components[first..].join("/");
    (!module.is_empty()).then_some(module)
}

fn is_hash(component: &str) -> bool {
    matches!(component.len(), 32 | 40) && component.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_noise(component: &str) -> bool {
    NOISE.contains(&component) || matches!(component, "_" | "~" | "[project]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        source: &str,
        base: Option<&str>,
        filename: &str,
        abs_path: &str,
        module: Option<&str>,
    ) {
        let expected = SourceUrl {
            filename: filename.to_owned(),
            abs_path: abs_path.to_owned(),
            module: module.map(str::to_owned),
        };
        assert_eq!(source_url_parts(source, base), expected);
    }

    #[test]
    fn webpack_names_lose_their_namespace() {
        let base = Some("https://shop.test/js/app.js.map");
        check("webpack:///./src/x.ts", base, "./src/x.ts", "webpack:///./src/x.ts", Some("src/x"));
        check(
            "webpack://shop/./src/x.ts",
            base,
            "./src/x.ts",
            "webpack://shop/./src/x.ts",
            Some("src/x"),
        );
        check(
            "webpack:///~/react/index.js",
            base,
            "~/react/index.js",
            "webpack:///~/react/index.js",
            Some("react/index"),
        );
        check(
            "turbopack:///[project]/src/x.ts",
            base,
            "src/x.ts",
            "turbopack:///[project]/src/x.ts",
            Some("src/x"),
        );
    }

    #[test]
    fn relative_names_are_joined_with_the_map() {
        check(
            "../src/cart.ts",
            Some("https://shop.test/js/app.js.map"),
            "../src/cart.ts",
            "https://shop.test/src/cart.ts",
            Some("src/cart"),
        );
        check(
            "../../../cart.ts",
            Some("https://shop.test/app.js"),
            "../../../cart.ts",
            "https://shop.test/cart.ts",
            Some("cart"),
        );
        check(
            "../src/cart.ts",
            Some("/srv/app/dist/main.js"),
            "../src/cart.ts",
            "/srv/app/src/cart.ts",
            None,
        );
        check(
            "../src/cart.ts",
            Some("app:///dist/main.js"),
            "../src/cart.ts",
            "app:///src/cart.ts",
            Some("src/cart"),
        );
        check("../src/cart.ts", Some("~/dist/main.js"), "../src/cart.ts", "~/src/cart.ts", None);
        check(
            "/src/cart.ts",
            Some("https://shop.test/js/app.js"),
            "/src/cart.ts",
            "https://shop.test/src/cart.ts",
            Some("src/cart"),
        );
        check(
            "cart.ts",
            Some("https://shop.test"),
            "cart.ts",
            "https://shop.test/cart.ts",
            Some("cart"),
        );
        check("cart.ts", None, "cart.ts", "cart.ts", None);
    }

    #[test]
    fn absolute_names_stay() {
        check(
            "https://a.test/x.min.js?v=1",
            Some("https://b.test/y.map"),
            "https://a.test/x.min.js?v=1",
            "https://a.test/x.min.js?v=1",
            Some("x"),
        );
        check("file:///src/a.ts", Some("/x/y.js"), "file:///src/a.ts", "file:///src/a.ts", None);
        check("C:/src/a.ts", Some("/x/y.js"), "C:/src/a.ts", "C:/src/a.ts", None);
    }

    #[test]
    fn modules_begin_after_hashes_and_noise() {
        let module = |url: &str| source_url_parts(url, None).module;
        assert_eq!(module("https://a.test/static/js/app/cart.js").as_deref(), Some("app/cart"));
        assert_eq!(
            module("https://a.test/0123456789abcdef0123456789abcdef/app.js").as_deref(),
            Some("app")
        );
        assert_eq!(module("https://a.test/"), None);
        assert_eq!(module("https://a.test"), None);
    }

    #[test]
    fn vendors_are_not_in_app() {
        for foreign in [
            "../node_modules/react/index.js",
            "webpack:///./node_modules/react/index.js",
            "webpack:///~/react/index.js",
            "webpack:///webpack/bootstrap 1a2b",
            "webpack://shop/webpack/runtime/get default export",
            r"C:\app\node_modules\x.js",
        ] {
            assert_eq!(in_app(foreign), Some(false), "{foreign}");
        }
        assert_eq!(in_app("../src/cart.ts"), Some(true));
        assert_eq!(in_app("webpack:///./src/node_modules_of_mine.ts"), Some(true));
        assert_eq!(in_app(""), None);
    }
}
