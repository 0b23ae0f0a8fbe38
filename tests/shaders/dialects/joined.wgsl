//! Moves particles and slows them down; their type stands in a file that several shaders are joined with.
//!
//! [move_particles]
//! prepare  = [{ concat = ["particle.inc", "."] }]
//! dims     = "n"
//! shapes   = { particles = "n" }
//! params   = { dt = 0.25 }
//! dispatch = "ceil(n / 64)"
//! expect   = { "particles.position" = "particles.position + dt * particles.velocity", "particles.velocity" = "particles.velocity / 2" }
//! cases    = ["n=64", "n=1", "n=100"]

@group(0) @binding(0) var<uniform> dt: f32;
@group(0) @binding(1) var<storage, read_write> particles: array<Particle>;

@compute @workgroup_size(64)
fn move_particles(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&particles)) {
        particles[id.x] = moved(particles[id.x], dt);
    }
}
