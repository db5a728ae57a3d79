use proptest::prelude::*;

use super::*;

#[track_caller]
fn demangles(symbol: &str, language: Language, expected: &str) {
    assert_eq!(demangle(symbol, language), expected);
}

#[track_caller]
fn trims(name: &str, expected: &str) {
    assert_eq!(trim(name), expected);
}

#[test]
fn each_mangling_is_recognised_by_its_form() {
    demangles("_ZN3foo3barEic", Language::Cpp, "foo::bar(int, char)");
    demangles("_ZN3foo3barEic", Language::Unknown, "foo::bar(int, char)");
    demangles("_ZN4shop5price17h0123456789abcdefE", Language::Rust, "shop::price");
    demangles("_ZN4shop5price17h0123456789abcdefE", Language::Unknown, "shop::price");
    demangles(
        "_ZN40_$LT$Tiered$u20$as$u20$shop..Pricing$GT$5price17h0123456789abcdefE",
        Language::Rust,
        "<Tiered as shop::Pricing>::price",
    );
    demangles("_RNvCs1234_7mycrate3foo", Language::Rust, "mycrate::foo");
    demangles("?run@Engine@@QEAAHH@Z", Language::Cpp, "public: int Engine::run(int)");
}

#[test]
fn cpp_symbol_in_a_rust_program_is_demangled_as_cpp() {
    demangles(
        "_ZNSt6vectorIiSaIiEE9push_backEOi",
        Language::Rust,
        "std::vector<int, std::allocator<int> >::push_back(int&&)",
    );
}

#[test]
fn other_names_stay_as_they_are() {
    for name in
        ["main", "", "memcpy", "_start", "main.(*Server).Serve", "-[App run:]", "_Z", "_R", "?"]
    {
        demangles(name, Language::Unknown, name);
    }
}

#[test]
fn parameters_and_return_types_go() {
    trims("foo::bar(int, char)", "foo::bar");
    trims("void foo::bar<int>(int) const", "foo::bar<T>");
    trims(
        "unsigned long std::max<unsigned long>(unsigned long const&, unsigned long const&)",
        "std::max<T>",
    );
    trims("char const* name(char const*) &&", "name");
    trims("decltype(auto) run<F>(F&&)", "run<T>");
    trims("std::vector<std::pair<int, char> >::at(unsigned long)", "std::vector<T>::at");
    trims("main", "main");
}

#[test]
fn operators_survive() {
    trims("Foo::operator()(int) const", "Foo::operator()");
    trims("std::ostream& operator<< <char>(std::ostream&, char)", "operator<<<T>");
    trims("bool operator< (A const&, B const&)", "operator<");
    trims("Foo::operator->() const", "Foo::operator->");
    trims("Foo::operator bool() const", "Foo::operator bool");
    trims("Foo::operator std::string() const", "Foo::operator std::string");
    trims("operator new(unsigned long)", "operator new");
    trims("Foo::operator[](int)", "Foo::operator[]");
    trims("Foo::operator==(Foo const&)", "Foo::operator==");
    trims("operators::run(int)", "operators::run");
}

#[test]
fn anonymous_namespaces_and_lambdas_stay_readable() {
    trims("(anonymous namespace)::f(int)", "(anonymous namespace)::f");
    trims(
        "ns::(anonymous namespace)::Store<int>::get(int)",
        "ns::(anonymous namespace)::Store<T>::get",
    );
    trims("`anonymous namespace'::f(int)", "(anonymous namespace)::f");
    trims("?A0x1234abcd::f(int)", "(anonymous namespace)::f");
    trims("main::{lambda(int)#1}::operator()(int) const", "main::lambda::operator()");
    trims(
        "Foo::bar(int) const::{lambda(int)#2}::operator()(int) const",
        "Foo::bar::lambda::operator()",
    );
    trims("main::'lambda'(int)::operator()(int) const", "main::lambda::operator()");
    trims("main::$_0::operator()(int) const", "main::lambda::operator()");
    trims("main::<lambda()>::operator()", "main::lambda::operator()");
    trims("<lambda_0123456789abcdef0123456789abcdef>::operator()", "lambda::operator()");
}

#[test]
fn rust_names_keep_type_and_trait() {
    trims("<TieredPricing as Pricing>::price", "<TieredPricing as Pricing>::price");
    trims(
        "<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop",
        "<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop",
    );
    trims("<shop::Cart>::total", "<shop::Cart>::total");
    trims("shop::main::{{closure}}", "shop::main::{{closure}}");
    trims("shop::main::{closure#0}", "shop::main::{closure#0}");
    trims("core::ptr::drop_in_place<alloc::string::String>", "core::ptr::drop_in_place<T>");
    trims("core::iter::max_by::<u64, fn(&u64) -> bool>", "core::iter::max_by");
    trims("lamp::run::<u8>::{closure#0}", "lamp::run::{closure#0}");
    trims(
        "core::iter::range::<impl Iterator for Range<A>>::next",
        "core::iter::range::<impl Iterator for Range<A>>::next",
    );
    trims("shop::price::h0123456789abcdef", "shop::price");
}

#[test]
fn marks_of_compilers_and_linkers_go() {
    trims("main.cold", "main");
    trims("helper.part.0.cold", "helper");
    trims("foo(int) [clone .cold]", "foo");
    trims("foo(int) [clone .isra.0] [clone .cold]", "foo");
    trims("memcpy@@GLIBC_2.14", "memcpy");
    trims("_handler@12", "_handler");
    trims("@fast@8", "fast");
    trims("std::string name[abi:cxx11](int)", "name");
}

#[test]
fn names_of_other_kinds_stay() {
    for name in [
        "-[App run:with:]",
        "+[App new]",
        "<redacted>",
        "<unknown>",
        "main.(*Server).Serve",
        "broken(",
        "a<b",
        ")",
    ] {
        trims(name, name);
    }
}

#[test]
fn result_without_any_name_falls_back_to_the_whole() {
    trims("(int)", "(int)");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn hostile_names_never_panic(name in "[a-zA-Z_:<>(){}\\[\\]`'$?@ .&é-]{0,80}", symbol in "(_Z|_R|\\?)[A-Za-z0-9_@$?]{0,60}") {
        let _ = trim(&name);
        let _ = trim(&demangle(&symbol, Language::Unknown));
        let _ = trim(&format!("operator{name}"));
    }
}
