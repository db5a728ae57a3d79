use super::*;

/// Writes a name the way it would be shown, with the words of the minified text.
fn shown(function: &Function<'_>) -> String {
    let Name { kind, owners, own, expected } = &function.name;
    let mut shown = match kind {
        Kind::Plain => String::new(),
        Kind::Getter => "get ".to_owned(),
        Kind::Setter => "set ".to_owned(),
        Kind::Constructor => "new ".to_owned(),
    };
    owners.iter().for_each(|owner| shown += &format!("{}.", owner.text));
    shown += own.map_or("-", |own| own.text);
    expected.iter().for_each(|expected| shown += &format!(" if {expected}"));
    shown
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let functions = find(text).unwrap();
    for (index, function) in functions.iter().enumerate() {
        assert!(function.parent == NONE || (function.parent as usize) < index);
        let own = function.name.own.filter(|own| own.role != Role::Fixed);
        for word in function.name.owners.iter().chain(&own) {
            assert!(text[word.at as usize..].starts_with(word.text), "{word:?}");
        }
    }
    assert_eq!(functions.iter().map(shown).collect::<Vec<_>>(), expected);
}

#[test]
fn declarations_and_variables() {
    check("function a(){}", &["a"]);
    check("async function*a(){}", &["a"]);
    check("let a=()=>1,b=function(){},[c]=[()=>2]", &["a", "b", "-"]);
    check("var a=(function(){})", &["a"]);
    check("var a=function b(){}", &["b"]);
    check("function f(a=()=>1){}", &["f", "-"]);
    check("let {a=()=>1}=b", &["a"]);
    check("export default function(){}", &["default"]);
    check("export default ()=>1", &["default"]);
}

#[test]
fn callbacks_have_no_name() {
    check("a.map(b=>b);!function(){}();(()=>{})()", &["-", "-", "-"]);
    check("var a=b(()=>1);x?()=>1:()=>2", &["-", "-", "-"]);
}

#[test]
fn members_of_classes() {
    check(
        "class A{constructor(){}b(){}static c(){}get d(){}set d(e){}#f(){}}",
        &["new A", "A.b", "A.c", "get A.d", "set A.d", "A.#f"],
    );
    check("class A{b=()=>1;static c=function(){};#d=()=>2}", &["A.b", "A.c", "A.#d"]);
    check("var A=class{b(){}constructor(){}}", &["A.b", "new A"]);
    check("x(class{b(){}constructor(){}})", &["b", "new -"]);
    check("class A{[b](){}\"c\"(){}\"d e\"(){}7(){}}", &["-", "A.c", "-", "-"]);
    check("class A{b(){return class{c(){}}}}", &["A.b", "c"]);
}

#[test]
fn members_of_objects() {
    check(
        "var a={b(){},c:()=>1,get d(){},\"e\":function(){},[f](){}}",
        &["a.b", "a.c", "get a.d", "a.e", "-"],
    );
    check("var a={b:{c(){}}}", &["a.b.c"]);
    check("x({a(){}})", &["a"]);
    check("var a={b:{c:{d:{e:{f(){}}}}}}", &["b.c.d.e.f"]);
}

#[test]
fn assignments() {
    check(
        "a=()=>1;a.b=()=>1;a.b.c=()=>1;this.d=()=>1;a[0]=()=>1",
        &["a", "a.b", "a.b.c", "d", "-"],
    );
    check("t.prototype.total=function(){}", &["t.total"]);
    check(
        "exports.a=()=>1;module.exports.b=()=>1;module.exports=()=>1",
        &["a", "b", "module.exports"],
    );
    check("module.exports={a(){}}", &["a"]);
    check("class A{b(){this.#c=()=>1}#c}", &["A.b", "#c"]);
}

#[test]
fn kept_names_are_told_from_event_names() {
    check("var a=n(()=>1,\"total\")", &["a if total"]);
    check("n(()=>1,\"total\")", &["-"]);
}

#[test]
fn what_is_no_script_is_told() {
    assert!(find("var a = (").unwrap_err().contains("no JavaScript"));
    assert!(find("").unwrap().is_empty());
    check("#!/usr/bin/env node\nfunction a(){}", &["a"]);
    check("return;function a(){}", &["a"]);
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[a-z(){};=>.,'`$#/* \\n\"\u{e9}\\[\\]:?!+-]{0,60}") {
        let _ = find(&text);
    }
}
