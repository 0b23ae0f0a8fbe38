// The rows x that matrices are multiplied with: signed bytes in blocks of 32, eight words each, as quantise_block.wgsl makes them, TOKENS rows one
// after the other. Included by the kernels that read activations; their `blocks` is the number of blocks in a row, their `block` the one at hand.
//
// Every invocation needs the same numbers. UNIFORM: they lie in `var<uniform>`, which holds them for all. SUBGROUPS: eight neighbours read one word
// each and tell it to the others; for subgroups of eight or more.

#ifdef SUBGROUPS
@group(0) @binding(2) var<storage, read> x: array<u32>;
#elif defined(UNIFORM)
@group(0) @binding(2) var<uniform> x: array<vec4<u32>, 4096>;
#else
@group(0) @binding(2) var<storage, read> x: array<vec4<u32>>;
#endif
#ifdef UNIFORM
@group(0) @binding(3) var<uniform> x_scales: array<vec4<f32>, 4096>;
#else
@group(0) @binding(3) var<storage, read> x_scales: array<vec4<f32>>;
#endif

#include "each_token.wgsl"

// READ(t) fetches a block of token t, WORD(t, i) is its word i: the numbers of columns 4 i to 4 i + 3.
#ifdef SUBGROUPS
#define WORDS array<u32, TOKENS>
#define READ(t) words[t] = x[(t * blocks + block) * 8u + lane % 8u];
#define WORD(t, i) subgroupBroadcast(words[t], i)
#else
#define WORDS array<vec4<u32>, 2u * TOKENS>
#define READ(t) words[2u * t] = x[(t * blocks + block) * 2u]; words[2u * t + 1u] = x[(t * blocks + block) * 2u + 1u];
#define WORD(t, i) words[2u * t + i / 4u][i % 4u]
#endif
