//! softplus(x) = log(1 + exp(x)), held by a template string in TypeScript.
//!
//! [softplus]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "max(x, 0) + log(1 + exp(-abs(x)))" }
//! cases    = ["n=64", "n=1", "n=1000"]
//!
//! [[softplus.prepare]]
//! concat = ["softplus.ts"]
//!
//! [[softplus.prepare]]
//! strip = { after = "/* wgsl */ `", before = "`;" }
//!
//! [[softplus.prepare]]
//! template   = { GROUP = 64 }
//! delimiters = ["${", "}"]
