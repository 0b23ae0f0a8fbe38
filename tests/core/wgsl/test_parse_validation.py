"""What the grammar allows and the specification forbids."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.source import SourceText
from pixel_core.wgsl.check import check
from wgsl_testing import annotate, split_cases, strip_notes

ATTRIBUTES = r"""
@computer @workgroup_size(1) fn f() { }
^^^^^^^^^ PX110 there is no attribute `@computer`
---
@stage(compute) fn f() { }
^^^^^^^^^^^^^^^ PX110 there is no attribute `@stage`
---
@compute fn f() { }
^^^^^^^^ PX113 the compute entry point `f` has no `@workgroup_size`
---
@workgroup_size(64) fn f() { }
^^^^^^^^^^^^^^^^^^^ PX113 `@workgroup_size` is only for `@compute` functions
---
@compute @workgroup_size() fn f() { }
         ^^^^^^^^^^^^^^^^^ PX111 `@workgroup_size` takes 1 to 3 arguments, not 0
---
@compute @workgroup_size(1, 2, 3, 4) fn f() { }
         ^^^^^^^^^^^^^^^^^^^^^^^^^^^ PX111 `@workgroup_size` takes 1 to 3 arguments, not 4
---
@compute() @workgroup_size(1) fn f() { }
^^^^^^^^^^ PX111 `@compute` takes no arguments and no parentheses
---
@compute @vertex @workgroup_size(1) fn f() { }
         ^^^^^^^ PX113 a function has only one stage
---
@compute @compute @workgroup_size(1) fn f() { }
         ^^^^^^^^ PX112 `@compute` stands here twice
---
@compute @workgroup_size(1) fn f() -> i32 { return 1; }
                                      ^^^ PX113 a compute entry point returns nothing
---
@vertex fn f() { }
           ^ PX113 a vertex entry point must return a `@builtin(position)`
---
@must_use fn f() { }
^^^^^^^^^ PX113 `@must_use` needs a function that returns a value
---
@group(0) @group(1) @binding(0) var<uniform> a: f32;
          ^^^^^^^^^ PX112 `@group` stands here twice
---
@group(0) var<uniform> a: f32;
                       ^ PX119 `a` is a resource and needs `@binding`
---
var<storage> a: f32;
             ^ PX119 `a` is a resource and needs `@group` and `@binding`
---
@group(0) @binding(0) var<private> a: f32;
^^^^^^^^^ PX113 `var<private>` is no resource: it has no `@group`
          ^^^^^^^^^^^ PX113 `var<private>` is no resource: it has no `@binding`
---
@id(1) const a = 1;
^^^^^^ PX113 `@id` cannot stand on a module-scope `const`
---
@group(0) struct S { a: f32 }
^^^^^^^^^ PX113 `struct` takes no attributes
---
@size(4) fn f() { }
^^^^^^^^ PX113 `@size` cannot stand on a function
---
struct S { @group(0) a: f32 }
           ^^^^^^^^^ PX113 `@group` cannot stand on a structure member
---
struct S { @align a: f32 }
           ^^^^^^ PX111 `@align` takes 1 argument, not 0
---
fn f(@builtin(position) a: vec4f) { }
     ^^^^^^^^^^^^^^^^^^ PX113 `@builtin` is only for entry points
---
@compute @workgroup_size(1) fn f(@location(0) a: f32) { }
                                 ^^^^^^^^^^^^ PX113 a compute entry point has no `@location`
---
@compute @workgroup_size(1) fn f(@builtin(vertex_index) a: u32) { }
                                 ^^^^^^^^^^^^^^^^^^^^^^ PX113 `vertex_index` is not a built-in input of the compute stage
---
@compute @workgroup_size(1) fn f(@builtin(global_id) a: vec3u) { }
                                          ^^^^^^^^^ PX111 there is no such built-in value
---
@fragment fn f(@location(0) @interpolate(smooth) a: f32) { }
                                         ^^^^^^ PX103 `smooth` is a reserved word
---
@fragment fn f(@location(0) @interpolate(flat, center) a: f32) { }
                                               ^^^^^^ PX111 `flat` interpolation is sampled by one of `either`, `first`
---
@fragment fn f(@interpolate(flat) a: f32) { }
               ^^^^^^^^^^^^^^^^^^ PX113 `@interpolate` needs a `@location`
---
@fragment fn f(@builtin(position) @location(0) a: vec4f) { }
                                  ^^^^^^^^^^^^ PX113 `@builtin` and `@location` exclude each other
---
@vertex fn f() -> @location(0) @invariant vec4f { return a; }
                               ^^^^^^^^^^ PX113 `@invariant` needs `@builtin(position)`
---
@diagnostic(none, derivative_uniformity) fn f() { }
            ^^^^ PX118 there is no severity `none`
---
@diagnostic(off, a.b) @diagnostic(info, a.b) fn f() { }
                      ^^^^^^^^^^^^^^^^^^^^^^ PX112 `@diagnostic` for `a.b` stands here twice
---
fn f() { @must_use if a { } }
         ^^^^^^^^^ PX113 `@must_use` cannot stand on a statement
---
fn f() { switch a { @diagnostic(off, a.b) default: { } } }
                    ^ PX105 expected `case`, `default` or `}`, found `@`
"""

DECLARATIONS = r"""
var t: texture_2d<f32>;
    ^ PX119 `t` is a resource and needs `@group` and `@binding`
---
var<function> a: f32;
              ^ PX119 `var<function>` is only for functions
---
var<shared> a: f32;
    ^^^^^^ PX103 `shared` is a reserved word
---
var<private, read> a: f32;
             ^^^^ PX119 `private` variables take no access mode
---
var<private, read, write> a: f32;
                   ^^^^^ PX119 `var<…>` takes an address space and an access mode, no more
---
@group(0) @binding(0) var<storage, write> a: f32;
                                   ^^^^^ PX119 storage buffers are `read` or `read_write`
---
@group(0) @binding(0) var<storage, readwrite> a: f32;
                                   ^^^^^^^^^ PX119 expected an access mode: `read` or `read_write`
---
var<workgroup> a: f32 = 1.0;
                        ^^^ PX119 `var<workgroup>` takes no initial value
---
@group(0) @binding(0) var t: texture_2d<f32> = x;
                                               ^ PX119 a resource takes no initial value
---
var<workgroup> a;
               ^ PX119 `var a` needs a type
---
override a;
         ^ PX119 `override a` needs a type or a value
---
fn f() { var<private> a: f32; }
                      ^ PX119 `var<private>` must stand at module scope
---
fn f() { var<function, read> a: f32; }
                       ^^^^ PX119 a variable of a function takes no access mode
---
enable f32;
       ^^^ PX116 there is no extension `f32`
---
enable unrestricted_pointer_parameters;
       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ PX116 `unrestricted_pointer_parameters` is a language feature, not an extension
---
enable chromium_experimental_foo;
       ^^^^^^^^^^^^^^^^^^^^^^^^^ PX116 `chromium_experimental_foo` is an extension of one implementation; others refuse it
---
requires fast_math;
         ^^^^^^^^^ PX117 there is no language feature `fast_math`
---
diagnostic(none, derivative_uniformity);
           ^^^^ PX118 there is no severity `none`
---
diagnostic(off, my_rule);
^^^^^^^^^^^^^^^^^^^^^^^^^ PX118 there is no diagnostic rule `my_rule`; this filter does nothing
---
diagnostic(off, derivative_uniformity);
diagnostic(error, derivative_uniformity);
           ^^^^^ PX118 `derivative_uniformity` was set to `off` before
---
const a = 1.0h;
          ^^^^ PX102 `1.0h` needs `enable f16;`
"""

STATEMENTS = r"""
fn f() { break; }
         ^^^^^^ PX114 `break` stands outside of a loop or `switch`
---
fn f() { continue; }
         ^^^^^^^^^ PX114 `continue` stands outside of a loop
---
fn f() { switch a { default: { continue; } } }
                               ^^^^^^^^^ PX114 `continue` stands outside of a loop
---
fn f() { loop { continuing { break; } } }
                             ^^^^^^ PX114 `break` cannot leave a `continuing` block
---
fn f() { loop { continuing { continue; } } }
                             ^^^^^^^^^ PX114 `continue` cannot leave a `continuing` block
---
fn f() { loop { if a { break; } continuing { return; } } }
                                             ^^^^^^^ PX114 `return` cannot leave a `continuing` block
---
fn f() { loop { break if a; } }
                ^^^^^^^^ PX114 `break if` can only end a `continuing` block
---
fn f() { loop { continuing { break if a; b = 1; } } }
                             ^^^^^^^^ PX114 `break if` must be the last statement of its `continuing` block
---
fn f() { switch a { case 1: { } } }
         ^^^^^^^^ PX115 this `switch` has no `default`
---
fn f() { switch a { default: { } case 1, default: { } } }
                                 ^^^^^^^^^^^^^^^^^ PX115 this `switch` has a second `default`
---
fn f() { switch a { case 1, 1: { } default: { } } }
                            ^ PX115 `case 1` stands here twice
---
fn f() { loop { a = 1; } }
         ^^^^^ PX121 this loop never ends
---
fn f() { for (;;) { } }
         ^^^^^^^^^ PX121 this loop never ends
---
fn f() -> i32 { }
                ^ PX120 `fn f` can end without returning a value
---
fn f() -> i32 { if a { return 1; } }
                                   ^ PX120 `fn f` can end without returning a value
---
fn f() -> i32 { while true { return 1; } }
                                         ^ PX120 `fn f` can end without returning a value
---
fn f() -> i32 { switch a { case 1: { return 1; } default: { break; } } }
                                                                       ^ PX120 `fn f` can end without returning a value
---
fn f() -> i32 { return; }
                ^^^^^^^ PX120 this `return` needs a value of type `i32`
---
fn f() { return 1; }
                ^ PX120 `fn f` returns nothing, but a value stands here
"""


@pytest.mark.parametrize("expected", split_cases(ATTRIBUTES))
def test_attributes(expected: str) -> None:
    assert annotate(strip_notes(expected)) == expected


@pytest.mark.parametrize("expected", split_cases(DECLARATIONS))
def test_declarations(expected: str) -> None:
    assert annotate(strip_notes(expected)) == expected


@pytest.mark.parametrize("expected", split_cases(STATEMENTS))
def test_statements(expected: str) -> None:
    assert annotate(strip_notes(expected)) == expected


def test_what_was_called_push_constant_has_another_name() -> None:
    (finding,) = check(SourceText(Path("k.wgsl"), "var<push_constant> n: u32;")).findings
    assert finding.message == "there is no address space `push_constant`"
    assert finding.hint == (
        'WebGPU calls it `immediate`; where the file must stay as it is: `prepare = [{ define = { push_constant = "immediate" } }]`'
    )
