"""One break, one finding, at the place where the mistake is."""

from __future__ import annotations

import pytest

from wgsl_testing import annotate, split_cases, strip_notes

BREAKS = r"""
fn f() { let x = 1 }
                  | PX104 expected `;` after this declaration
---
fn f() {
    let x = 1
             | PX104 expected `;` after this declaration
    let y = 2;
}
---
fn f() { a = 1 }
              | PX104 expected `;` after this statement
---
fn f() { a() }
            | PX104 expected `;` after this statement
---
fn f() { a++ }
            | PX104 expected `;` after this statement
---
fn f() { return 1 }
                 | PX104 expected `;` after this `return`
---
fn f() { return }
               | PX104 expected `;` after this `return`
---
fn f() { loop { break } }
                     | PX104 expected `;` after `break`
---
fn f() { loop { continue } }
                        | PX104 expected `;` after `continue`
---
fn f() { discard }
                | PX104 expected `;` after `discard`
---
const a = 1
           | PX104 expected `;` after this declaration
const b = 2;
---
alias t = f32
             | PX104 expected `;` after this `alias`
---
const_assert true
                 | PX104 expected `;` after this `const_assert`
---
enable f16
          | PX104 expected `;` after this `enable`
const a = 1;
---
fn f(
    @builtin(workgroup_id) group: vec3<u32,
                                          | PX106 expected `>` to close the template list
    @builtin(local_invocation_index) lane: u32,
) {
    a = 1u;
}
---
fn f(x: u32) - u32 {
             ^ PX105 expected `->` before the return type of `fn f`, found `-`
    let y = x;
    return y;
}
---
fn f(x: u32) > u32 {
             ^ PX105 expected `->` before the return type of `fn f`, found `>`
    return x;
}
---
fn f(x: u32) => u32 {
             ^ PX105 expected `{` to open the body of `fn f`, found `=`
    return x;
}
---
fn f() { let x = (1 + 2; }
                       | PX106 expected `)` to close the `(`
---
fn f() { a(1, b(2, 3); }
                     | PX106 expected `)` after the arguments
---
fn f() { a[1 = 2; }
            | PX106 expected `]` to close the `[`
---
fn f() { if (a { b = 1; } }
              | PX106 expected `)` to close the `(`
---
fn f() { for (var i = 0; i < 4; i++ { } }
                                   | PX106 expected `)` to close the head of this `for`
---
fn f(a: i32 -> i32 { return a; }
           | PX106 expected `)` after the parameters of `fn f`
---
@group(0 @binding(1) var<storage> a: i32;
        | PX106 expected `)` after the arguments
---
fn f() { if (a b) { } }
               ^ PX105 expected `)` to close the `(`, found `b`
---
fn f() { a = 1;
               | PX106 expected `}` to close the body of `fn f`
fn g() { }
---
fn f() { if a { b = 1;
                      | PX106 expected `}` to close the body of this `if`
@compute @workgroup_size(1) fn g() { }
---
struct S { a: f32
                 | PX106 expected `}` to close `struct S`
fn g() { }
---
struct S { a: f32 b: f32 }
                 | PX104 expected `,` after this member
---
struct S { a: f32; b: f32; }
                 ^ PX105 expected `,` after this member, found `;`
---
struct S { a }
            | PX104 expected `:` after the member `a`
---
struct S { }
^^^^^^^^ PX119 `struct S` needs at least one member
---
struct { a: f32 }
       ^ PX105 expected the name of this `struct`, found `{`
---
var<private> a: array<f32, 4;
                            | PX106 expected `>` to close the template list
---
fn f(a: array<f32, 4, b: i32) { }
                    | PX106 expected `>` to close the template list
---
var<storage, read_write a: f32;
                       | PX106 expected `>` to close the template list
---
fn f() -> vec4<f32 { return a; }
                  | PX106 expected `>` to close the template list
---
fn f() { let x = vec4<f32(1.0); }
                              | PX106 expected `>` to close the template list
---
fn f() { let x = array<f32, 2(1, 2); }
                             | PX106 expected `>` to close the template list
---
fn f() { switch a { case 1: { b = 1; } default: { }
                                                   | PX106 expected `}` to close the body of this `switch`
    c = 1;
}
---
fn f() { switch a { case 1: { b = 1; default: { } } }
                                    | PX106 expected `}` to close this clause
---
fn f() { switch a { b = 1; default: { } } }
                    ^ PX105 expected `case`, `default` or `}`, found `b`
---
fn f() { let = 1; }
             ^ PX105 expected the name of this `let`, found `=`
---
fn f() { let x 1; }
              | PX104 expected `=` after `x`
---
fn f() { let x = ; }
                 ^ PX105 expected an expression, found `;`
---
fn f() { let x: = 1; }
                ^ PX105 expected the type of this `let`, found `=`
---
fn f() { let x; }
              | PX119 `let x` needs a value
---
fn f() { const x: i32; }
                     | PX119 `const x` needs a value
---
fn f() { var x; }
             ^ PX119 `var x` needs a type or a value
---
fn f() { a + b; }
           ^ PX105 expected `=`, found `+`
---
fn f() { a; }
         ^ PX105 an expression alone is not a statement
---
fn f() { 1 = a; }
         ^ PX105 expected a statement, found `1`
---
fn f() { g() = 1; }
         ^^^ PX105 this cannot be assigned to
---
fn f() { a + 1 = 2; }
           ^ PX105 expected `=`, found `+`
---
fn f() { _ += 1; }
          | PX104 expected `=` after `_`
---
fn f() { let x = a++; }
                  ^^ PX105 expected `;` after this declaration, found `++`
---
fn f() { ++a; }
         ^^ PX105 expected a statement, found `++`
---
fn f() { a = b = c; }
               ^ PX105 expected `;` after this statement, found `=`
---
fn f() { else { } }
         ^^^^ PX105 expected a statement, found `else`
---
fn f() { if a { } else b = 1; }
                      | PX104 expected `{` to open the `else` block
---
fn f() { if a b = 1; }
             | PX104 expected `{` to open the body of this `if`
---
fn f() { continuing { } }
         ^^^^^^^^^^ PX105 expected a statement, found `continuing`
---
fn f() { loop { continuing { } a = 1; } }
                               ^ PX105 expected `}`, found `a`
---
fn f() { case 1: { } }
         ^^^^ PX105 expected a statement, found `case`
---
fn f() { fn g() { } }
        | PX106 expected `}` to close the body of `fn f`
                    ^ PX105 this `}` closes nothing
---
fn () { }
   ^ PX105 expected the name of this function, found `(`
---
fn f { }
    | PX104 expected `(` after the name of `fn f`
---
fn f()
      | PX104 expected `{` to open the body of `fn f`
---
fn f();
      | PX104 expected `{` to open the body of `fn f`
fn g() { }
---
function f() { }
^^^^^^^^ PX105 expected a declaration, found `function`
---
let x = 1;
^^^ PX105 `let` is only for functions
---
}
^ PX105 this `}` closes nothing
fn f() { }
---
fn f() { } }
           ^ PX105 this `}` closes nothing
fn g() { }
---
x = 1;
^ PX105 expected a declaration (`fn`, `var`, `const`, `override`, `struct`, `alias`), found `x`
fn f() { }
---
fn f(a) { }
      | PX104 expected `:` after the parameter `a`
---
fn f(a: i32 b: i32) { }
           | PX104 expected `,` after this parameter
---
fn f() { let x = 1 2; a = 1; }
                   ^ PX105 expected `;` after this declaration, found `2`
---
fn f() { let x = a ? b : c; }
                   ^ PX100 unexpected character `?`
---
fn f() { let x = a <; }
                    ^ PX105 expected an expression, found `;`
---
fn f() { let x = a.; }
                   ^ PX105 expected the name of a member, found `;`
---
fn f() { for (var i = 0, i < 4, i++) { } }
                       | PX104 expected `;` after the start of this `for`
---
fn f() { for (i = 0; i < 4; let j = 1) { } }
                            ^^^ PX105 expected an assignment or a call, found `let`
---
fn f() { while { } }
               ^ PX105 expected an expression, found `{`
---
fn f() { @diagnostic(off, a.b) let x = 1; }
                               ^^^ PX105 expected a statement that can have attributes (a block, `if`, `switch` or a loop), found `let`
---
@ fn f() { }
  ^^ PX105 expected the name of an attribute, found `fn`
---
#define N 4
^^^^^^^^^^^ PX100 `#define` is not WGSL
const a = N;
---
fn f() { let s = "text"; }
                 ^ PX100 unexpected character `"`
                      ^ PX100 unexpected character `"`
---
const a = 1$;
           ^ PX100 unexpected character `$`
---
/* open
^^ PX101 this comment is never closed: `*/` missing
fn f() { }
---
/* a /* b */
^^ PX101 this comment is never closed: `*/` missing
---
const a: array<> = b;
              ^^ PX105 a template list needs at least one argument
---
fn f() { let x = array<>(); }
                      ^^ PX105 a template list needs at least one argument
---
alias a;
       | PX104 expected `=` after the name of this `alias`
---
alias a = ;
          ^ PX105 expected the type of this `alias`, found `;`
---
alias = f32;
      ^ PX105 expected the name of this `alias`, found `=`
---
diagnostic(off);
              | PX104 expected `,` after the severity
---
diagnostic off;
          | PX104 expected `(` after `diagnostic`
---
enable ;
       ^ PX105 expected the name of an extension, found `;`
---
requires(a);
        ^ PX105 expected the name of a language feature, found `(`
---
const a = 1;
enable f16;
^^^^^^ PX109 `enable` must stand before all declarations
---
@must_use struct S { a: f32 }
^^^^^^^^^ PX113 `struct` takes no attributes
---
override;
        ^ PX105 expected the name of this `override`, found `;`
---
var a f32;
     | PX104 expected `:` after `a`
---
var<> a: f32;
   ^^ PX105 a template list needs at least one argument
---
fn f() { a.1 = 2; }
          ^^ PX105 expected `=`, found `.1`
---
fn f() { let a = &&b; }
                 ^^ PX105 expected an expression, found `&&`
---
fn f() { let a = --b; }
                 ^^ PX105 `--` is a statement in WGSL, not part of an expression
---
fn f() { switch { default: { } } }
                ^ PX105 expected an expression, found `{`
---
fn f() { switch a { case : { } default: { } } }
                         ^ PX105 expected an expression, found `:`
---
fn f() -> { }
          ^ PX105 expected the return type of `fn f`, found `{`
"""


@pytest.mark.parametrize("expected", split_cases(BREAKS))
def test_breaks(expected: str) -> None:
    assert annotate(strip_notes(expected)) == expected
