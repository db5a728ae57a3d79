//! Finds the functions of a minified text, and where in it their names stand.

use oxc_allocator::Allocator;
use oxc_ast::AstKind;
use oxc_ast::ast::{
    AssignmentTarget, BindingPattern, CallExpression, Expression, MethodDefinitionKind,
    PropertyKey, PropertyKind, SimpleAssignmentTarget,
};
use oxc_ast_visit::Visit;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{GetSpan, SourceType, Span};

use super::map::NONE;
use super::text::identifier;

/// Most owners in front of a name: `app.cart.items.total`.
const OWNERS_MAX: usize = 4;

/// A function, in bytes of the text.
#[derive(Debug)]
pub(crate) struct Function<'a> {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Index of the function around it, or `NONE`; always less than its own.
    pub(crate) parent: u32,
    pub(crate) name: Name<'a>,
}

/// How a function is called, in terms of the minified text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) kind: Kind,
    /// The class or objects it belongs to, outermost first.
    pub(crate) owners: Vec<Word<'a>>,
    /// `None`: it has no name in the minified text.
    pub(crate) own: Option<Word<'a>>,
    /// The name only counts if it is this one: `a = keepName(() => …, "total")`.
    pub(crate) expected: Option<&'a str>,
}

/// What kind of function it is, as far as its name shows it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Shown by its name alone.
    #[default]
    Plain,
    /// `get x() {}`.
    Getter,
    /// `set x(value) {}`.
    Setter,
    /// `constructor() {}`; its own name is that of the class.
    Constructor,
}

/// A word of the minified text that names something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// Byte of its first character.
    pub(crate) at: u32,
    pub(crate) text: &'a str,
    pub(crate) role: Role,
}

/// Whether a word may have been renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A variable, function or class: minifiers rename it.
    Binding,
    /// A property: minifiers leave it as it is, unless told otherwise.
    Property,
    /// Made up here, `default` for instance.
    Fixed,
}

/// Finds all functions, outer ones first.
///
/// Errors are texts for the report. Not for small stacks: the parser descends with the nesting of the text.
pub(crate) fn find(text: &str) -> Result<Vec<Function<'_>>, String> {
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed =
        Parser::new(&allocator, text, SourceType::unambiguous()).with_options(options).parse();
    if parsed.panicked {
        let reason = parsed.diagnostics.first().map(|diagnostic| diagnostic.message.to_string());
        return Err(format!("the minified file is no JavaScript: {}", reason.unwrap_or_default()));
    }
    let mut finder =
        Finder { text, ancestors: Vec::new(), functions: Vec::new(), around: Vec::new() };
    finder.visit_program(&parsed.program);
    Ok(finder.functions)
}

struct Finder<'t, 'a> {
    text: &'t str,
    ancestors: Vec<AstKind<'a>>,
    functions: Vec<Function<'t>>,
    /// Indexes of the functions around the current node.
    around: Vec<u32>,
}

impl<'a> Visit<'a> for Finder<'_, 'a> {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        self.ancestors.push(kind);
        if matches!(kind, AstKind::Function(_) | AstKind::ArrowFunctionExpression(_)) {
            let span = kind.span();
            let name = self.name_of(self.ancestors.len() - 1).unwrap_or_default();
            let parent = self.around.last().copied().unwrap_or(NONE);
            self.around.push(self.functions.len() as u32);
            self.functions.push(Function { start: span.start, end: span.end, parent, name });
        }
    }

    fn leave_node(&mut self, kind: AstKind<'a>) {
        self.ancestors.pop();
        if matches!(kind, AstKind::Function(_) | AstKind::ArrowFunctionExpression(_)) {
            self.around.pop();
        }
    }
}

impl<'t, 'a> Finder<'t, 'a> {
    /// Returns how the function, class or object `at` among the ancestors is called.
    fn name_of(&self, at: usize) -> Option<Name<'t>> {
        let id = match self.ancestors[at] {
            AstKind::Function(function) => function.id.as_ref(),
            AstKind::Class(class) => class.id.as_ref(),
            _ => None,
        };
        match id {
            Some(id) => Some(Name { own: self.word(id.span, Role::Binding), ..Name::default() }),
            None => self.name_from_parent(at),
        }
    }

    fn name_from_parent(&self, at: usize) -> Option<Name<'t>> {
        let mut child = self.ancestors[at].span();
        let mut parent = at.checked_sub(1)?;
        while let AstKind::ParenthesizedExpression(parenthesized) = self.ancestors[parent] {
            child = parenthesized.span;
            parent = parent.checked_sub(1)?;
        }
        match self.ancestors[parent] {
            AstKind::VariableDeclarator(declarator) if is(declarator.init.as_ref(), child) => {
                self.name_of_pattern(&declarator.id)
            }
            AstKind::AssignmentExpression(assignment) if assignment.right.span() == child => {
                self.name_of_target(&assignment.left)
            }
            AstKind::AssignmentPattern(pattern) if pattern.right.span() == child => {
                self.name_of_pattern(&pattern.left)
            }
            AstKind::MethodDefinition(method) => {
                let kind = match method.kind {
                    MethodDefinitionKind::Constructor => Kind::Constructor,
                    MethodDefinitionKind::Get => Kind::Getter,
                    MethodDefinitionKind::Set => Kind::Setter,
                    MethodDefinitionKind::Method => Kind::Plain,
                };
                self.member(kind, &method.key, method.computed, self.class_around(parent))
            }
            AstKind::PropertyDefinition(property) if is(property.value.as_ref(), child) => self
                .member(Kind::Plain, &property.key, property.computed, self.class_around(parent)),
            AstKind::AccessorProperty(property) if is(property.value.as_ref(), child) => self
                .member(Kind::Plain, &property.key, property.computed, self.class_around(parent)),
            AstKind::ObjectProperty(property) if property.value.span() == child => {
                let kind = match property.kind {
                    PropertyKind::Get => Kind::Getter,
                    PropertyKind::Set => Kind::Setter,
                    PropertyKind::Init => Kind::Plain,
                };
                self.member(
                    kind,
                    &property.key,
                    property.computed,
                    self.name_of(parent.checked_sub(1)?),
                )
            }
            AstKind::ExportDefaultDeclaration(_) => Some(fixed("default")),
            AstKind::CallExpression(call) => self.kept_name(call, child, parent),
            _ => None,
        }
    }

    /// Reads `a = keepName(() => …, "total")`, as esbuild writes it to keep names.
    fn kept_name(&self, call: &CallExpression<'a>, child: Span, at: usize) -> Option<Name<'t>> {
        let [function, name] = &call.arguments[..] else { return None };
        let Some(Expression::StringLiteral(literal)) = name.as_expression() else { return None };
        if function.span() != child {
            return None;
        }
        let expected = self
            .text
            .get(literal.span.start as usize + 1..(literal.span.end as usize).checked_sub(1)?)?;
        Some(Name { expected: Some(expected), ..self.name_from_parent(at)? })
    }

    fn name_of_pattern(&self, pattern: &BindingPattern<'a>) -> Option<Name<'t>> {
        let BindingPattern::BindingIdentifier(id) = pattern else { return None };
        Some(Name { own: self.word(id.span, Role::Binding), ..Name::default() })
    }

    fn name_of_target(&self, target: &AssignmentTarget<'a>) -> Option<Name<'t>> {
        match target.as_simple_assignment_target()? {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(id) => {
                Some(Name { own: self.word(id.span, Role::Binding), ..Name::default() })
            }
            SimpleAssignmentTarget::StaticMemberExpression(member) => {
                if matches!(&member.object, Expression::Identifier(id) if id.name == "module")
                    && member.property.name == "exports"
                {
                    return Some(fixed("module.exports"));
                }
                let owners = self.owners(&member.object);
                Some(Name {
                    owners,
                    own: self.word(member.property.span, Role::Property),
                    ..Name::default()
                })
            }
            SimpleAssignmentTarget::PrivateFieldExpression(member) => {
                Some(Name { own: self.word(member.field.span, Role::Property), ..Name::default() })
            }
            _ => None,
        }
    }

    /// Reads what stands in front of the dot: `t` of `t.prototype.total`, nothing of `exports.total`.
    fn owners(&self, object: &Expression<'a>) -> Vec<Word<'t>> {
        let mut owners = Vec::new();
        let mut object = object;
        loop {
            match object {
                Expression::Identifier(id)
                    if !matches!(id.name.as_str(), "exports" | "window" | "globalThis") =>
                {
                    owners.extend(self.word(id.span, Role::Binding));
                }
                Expression::StaticMemberExpression(member) => {
                    if !matches!(member.property.name.as_str(), "prototype" | "exports") {
                        owners.extend(self.word(member.property.span, Role::Property));
                    }
                    object = &member.object;
                    if owners.len() < OWNERS_MAX
                        && !matches!(object, Expression::Identifier(id) if id.name == "module")
                    {
                        continue;
                    }
                }
                _ => {}
            }
            owners.reverse();
            return owners;
        }
    }

    fn class_around(&self, at: usize) -> Option<Name<'t>> {
        let class =
            self.ancestors[..at].iter().rposition(|kind| matches!(kind, AstKind::Class(_)))?;
        self.name_of(class)
    }

    fn member(
        &self,
        kind: Kind,
        key: &PropertyKey<'a>,
        is_computed: bool,
        owner: Option<Name<'t>>,
    ) -> Option<Name<'t>> {
        let owner = owner.unwrap_or_default();
        if kind == Kind::Constructor {
            return Some(Name { kind, ..owner });
        }
        let own = match key {
            PropertyKey::StaticIdentifier(id) => self.word(id.span, Role::Property),
            PropertyKey::PrivateIdentifier(id) => self.word(id.span, Role::Property),
            PropertyKey::StringLiteral(literal) => {
                let word = Span::new(literal.span.start + 1, literal.span.end.saturating_sub(1));
                self.word(word, Role::Property)
                    .filter(|word| identifier(word.text) == Some(word.text))
            }
            _ => None,
        };
        let own = own.filter(|_| !is_computed)?;
        let mut owners = owner.owners;
        owners.extend(owner.own.filter(|own| own.role != Role::Fixed));
        if owners.len() > OWNERS_MAX {
            owners.drain(..owners.len() - OWNERS_MAX);
        }
        Some(Name { kind, owners, own: Some(own), expected: None })
    }

    fn word(&self, span: Span, role: Role) -> Option<Word<'t>> {
        let text = self.text.get(span.start as usize..span.end as usize)?;
        Some(Word { at: span.start, text, role })
    }
}

fn fixed(text: &str) -> Name<'_> {
    Name { own: Some(Word { at: 0, text, role: Role::Fixed }), ..Name::default() }
}

fn is(expression: Option<&Expression<'_>>, child: Span) -> bool {
    expression.is_some_and(|expression| expression.span() == child)
}

#[cfg(test)]
mod tests;
