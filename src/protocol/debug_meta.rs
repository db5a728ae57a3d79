//! The images (programs, libraries, bundles) that a process had loaded.

use serde::Serialize;

use crate::addr::Addr;
use crate::id::{CodeId, DebugId};
use crate::lenient::{Errors, Object, Take};
use crate::node::Node;

/// Most images of one event that are kept; Electron and Unity send hundreds.
pub const IMAGES_MAX: usize = 2_000;

/// What was loaded, and the SDK that says so.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct DebugMeta {
    /// The images in the order they were sent; frames refer to them by index.
    pub images: Vec<DebugImage>,
    /// The operating system, in Apple's old form.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub sdk_info: Object,
}

impl DebugMeta {
    /// Reads debug information leniently.
    pub fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        let images = object.list("images", errors);
        Some(Self {
            images: images
                .into_iter()
                .take(IMAGES_MAX)
                .map(|value| DebugImage::from_value(value, errors))
                .collect(),
            sdk_info: object.object("sdk_info", errors).unwrap_or_default(),
        })
    }
}

/// Kind of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImageKind {
    /// `elf`, `macho`, `pe`, `symbolic`, `apple`, `wasm`, `pe_dotnet`.
    Native,
    /// `sourcemap`: a minified file.
    SourceMap,
    /// `proguard`, `jvm`, and whatever comes next.
    #[default]
    Other,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct DebugImage {
    /// Sentry's name of the kind: `elf`, `macho`, `pe`, `sourcemap`…
    #[serde(rename = "type")]
    pub kind: String,
    /// The debug id; for ELF images without one it is derived from the code id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug_id: Option<DebugId>,
    /// The code id: the whole GNU build id, PE stamp and size, Mach-O UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_id: Option<CodeId>,
    /// Path of the image; for source maps the URL or path of the minified file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_file: Option<String>,
    /// Path of the debug companion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug_file: Option<String>,
    /// Architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// Address it was loaded at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_addr: Option<Addr>,
    /// Bytes it takes in memory; zero and absent mean "up to the next image".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<u64>,
    /// Address it prefers, from its headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_vmaddr: Option<Addr>,
    /// Whether its debug file was found: `found`, `missing`, `malformed`, `unused`; only in results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug_status: Option<String>,
    /// What the file that was used offers; only in results.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub features: Object,
}

impl DebugImage {
    fn from_value(value: Node<'_>, errors: &mut Errors) -> Self {
        // A bad image stays as an empty one: `rel:<index>` addresses count on the positions.
        let Node::Fields(mut object) = value else {
            return Self::default();
        };
        let debug_id = object.text("debug_id", errors);
        let debug_id = debug_id.or_else(|| object.text("id", errors));
        let debug_id = debug_id.or_else(|| object.text("uuid", errors));
        let code_file = object.text("code_file", errors);
        let mut image = Self {
            kind: object.text("type", errors).unwrap_or_default(),
            debug_id: debug_id
                .and_then(|text| text.parse().ok())
                .filter(|id: &DebugId| !id.is_nil()),
            code_id: object.text("code_id", errors).and_then(|text| text.parse().ok()),
            code_file: code_file.or_else(|| object.text("name", errors)),
            debug_file: object.text("debug_file", errors),
            arch: object.text("arch", errors),
            image_addr: object.read("image_addr", errors, Addr::from_value),
            image_size: object.read("image_size", errors, Addr::from_value).map(|size| size.0),
            image_vmaddr: object.read("image_vmaddr", errors, Addr::from_value),
            debug_status: object.text("debug_status", errors),
            features: object.object("features", errors).unwrap_or_default(),
        };
        if image.debug_id.is_none() && image.kind == "elf" {
            image.debug_id = image
                .code_id
                .as_ref()
                .and_then(CodeId::bytes)
                .and_then(|build_id| DebugId::from_build_id(&build_id));
        }
        image
    }

    /// Returns what kind of image it is.
    pub fn image_kind(&self) -> ImageKind {
        match self.kind.as_str() {
            "elf" | "macho" | "pe" | "symbolic" | "apple" | "wasm" | "pe_dotnet" => {
                ImageKind::Native
            }
            "sourcemap" => ImageKind::SourceMap,
            _ => ImageKind::Other,
        }
    }

    /// Returns the last component of its path, `/` and `\` alike.
    pub fn name(&self) -> Option<&str> {
        let path = self.code_file.as_deref().or(self.debug_file.as_deref())?;
        path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty())
    }
}
