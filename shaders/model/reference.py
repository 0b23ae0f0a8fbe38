"""What the kernels of this folder must compute, in numpy.

Products and sums are float64. What is rounded to bytes or f16 is float32, in the kernels' own order: a rounding has no tolerance.
"""

import numpy as np

F = np.float32


def halves(words):
    """The two f16 of each word, float64[..., 2]."""
    return np.ascontiguousarray(words, np.uint32).view(np.float16).reshape(*words.shape, 2).astype(np.float64)


def signed_bytes(words):
    """The four signed bytes of each word, float64[..., 4]."""
    return np.ascontiguousarray(words, np.uint32).view(np.int8).reshape(*words.shape, 4).astype(np.float64)


def q4_weights(quants, scales, minimum):
    """Levels [rows, blocks, 32], scales and minima [rows, blocks] of the planes of Q4_0 and Q4_1."""
    groups, width = quants.shape[0], quants.shape[1] * 4
    columns = quants.reshape(groups, 1, width) >> (4 * np.arange(8, dtype=np.uint32))[None, :, None] & 15
    levels = columns.reshape(groups * 8, width // 32, 32).astype(np.float64)
    if minimum:
        pairs = halves(scales).reshape(groups, width // 32, 8, 2).transpose(3, 0, 2, 1).reshape(2, groups * 8, -1)
        return levels, pairs[0], pairs[1]
    d = halves(scales).reshape(groups, width // 32, 8).transpose(0, 2, 1).reshape(groups * 8, -1)
    return levels - 8, d, np.zeros_like(d)


def q8_0_weights(quants, scales):
    """Levels [rows, blocks, 32] and scales [rows, blocks] of the planes of Q8_0."""
    groups, blocks = scales.shape[:2]
    levels = signed_bytes(quants).transpose(0, 2, 1, 3).reshape(groups * 8, blocks, 32)
    return levels, halves(scales).reshape(groups, blocks, 8).transpose(0, 2, 1).reshape(groups * 8, blocks)


def product(weights, x, x_scales, y, first, add, shift=0):
    """Gives y with W · x put or added in from row `first` on, and the sum of all magnitudes."""
    levels, d, m = weights
    numbers = signed_bytes(x).reshape(len(x), -1, 32)
    dots = np.einsum("rbi,tbi->trb", levels, numbers) - shift * x_scales[:, None, :, 2].astype(np.float64)
    parts = dots * d * x_scales[:, None, :, 0].astype(np.float64)
    minima = m * x_scales[:, None, :, 1].astype(np.float64)
    value, scale = y.astype(np.float64), np.zeros(y.shape)
    rows = slice(first, first + len(levels))
    before = value[:, rows] * add
    value[:, rows] = before + parts.sum(axis=2) + minima.sum(axis=2)
    scale[:, rows] = np.abs(before) + np.abs(parts).sum(axis=2) + np.abs(minima).sum(axis=2)
    return {"y": (value, scale)}


def q4_0_matvec(quants, scales, x, x_scales, y, first, add):
    """The truth of q4_matvec.wgsl for Q4_0."""
    # The eighth below each nibble is taken off by the sums that the scales bring.
    levels, d, m = q4_weights(quants, scales, False)
    return product((levels + 8, d, m), x, x_scales, y, first, add, shift=8)


def q4_1_matvec(quants, scales, x, x_scales, y, first, add):
    """The truth of q4_matvec.wgsl for Q4_1."""
    return product(q4_weights(quants, scales, True), x, x_scales, y, first, add)


def q8_0_matvec(quants, scales, x, x_scales, y, first, add, groups, blocks):
    """The truth of q8_0_matvec.wgsl."""
    return product((*q8_0_weights(quants, scales), np.zeros((groups * 8, blocks))), x, x_scales, y, first, add)


def exact_exp(x):
    """As in exact_exp.wgsl."""
    held = np.clip(x, F(-87.0), F(88.0))
    k = np.rint(held * F(1.44269504))
    r = (held - k * F(0.693359375)) - k * F(-2.12194440e-4)
    p = np.full_like(r, 1.3888889e-3)
    for coefficient in (8.3333338e-3, 4.1666668e-2, 0.16666667, 0.5, 1.0, 1.0):
        p = p * r + F(coefficient)
    return p * ((k.astype(np.int32) + 127) << 23).view(np.float32)


def exact_rsqrt(x):
    """As in norm_quantise.wgsl."""
    y = (np.uint32(0x5F3759DF) - (x.view(np.uint32) >> 1)).view(np.float32)
    for _ in range(4):
        y = y * (F(1.5) - (F(0.5) * x * y) * y)
    return y


def quantise(x):
    """Words of bytes [..., 8] and scales [..., 4] of float32[..., 32]."""
    most = np.abs(x).max(axis=-1)
    with np.errstate(divide="ignore"):
        inverse = np.where(most > 0, F(127.0) / most, F(0.0))
    levels = np.rint(x * inverse[..., None]).astype(np.int8)
    sums = levels.sum(axis=-1, dtype=np.int64).astype(np.float32)
    d = most / F(127.0)
    rounded = [np.clip(one, F(-65504), F(65504)).astype(np.float16).astype(np.float32) for one in (d, d * sums)]
    return levels.view(np.uint32), np.stack((*rounded, sums, np.zeros_like(sums)), axis=-1)


def norm_quantise(x, weight, tokens, blocks, size):
    """The truth of norm_quantise.wgsl."""
    steps = -(-blocks * 8 // 32)
    padded = np.zeros((tokens, steps * 128), np.float32)
    padded[:, : blocks * 32] = x
    lanes = np.zeros((tokens, 32, 4), np.float32)
    for step in np.square(padded).reshape(tokens, steps, 32, 4).swapaxes(0, 1):
        lanes = lanes + step
    total = np.zeros(tokens, np.float32)
    for lane in ((lanes[..., 0] + lanes[..., 1]) + (lanes[..., 2] + lanes[..., 3])).T:
        total = total + lane
    factor = exact_rsqrt(total / F(blocks * 32) + F(size["epsilon"]))
    made, scales = quantise(((x * factor[:, None]) * weight).reshape(tokens, blocks, 32))
    return {"bytes": made, "scales": scales}


def gate_quantise(gate_up, tokens, blocks, gelu=False):
    """The truth of gate_quantise.wgsl."""
    gate, up = gate_up[:, 0], gate_up[:, 1]
    inner = F(1.5957691) * (gate + F(0.044715) * ((gate * gate) * gate)) if gelu else gate
    small = exact_exp(-np.abs(inner))
    made, scales = quantise((gate * (np.where(inner >= 0, F(1.0), small) / (F(1.0) + small)) * up).reshape(tokens, blocks, 32))
    return {"bytes": made, "scales": scales}


def embed(levels, d, m, tokens, y, first, size):
    """Rows of a page where the tokens' rows lie on it; the others of y stay. Gives the magnitudes too."""
    table, reach = levels * d[..., None] + m[..., None], np.abs(levels * d[..., None]) + np.abs(m)[..., None]
    value, scale = y.astype(np.float64), np.zeros(y.shape)
    place = tokens.astype(np.int64) - first
    here = (place >= 0) & (place < len(table))
    value[here] = table.reshape(len(table), -1)[place[here]] * size["scale"]
    scale[here] = reach.reshape(len(table), -1)[place[here]] * size["scale"]
    return {"y": (value, scale)}


def embed_q8_0(quants, scales, tokens, y, first, size):
    """The truth of embed_q8_0.wgsl."""
    levels, d = q8_0_weights(quants, scales)
    return embed(levels, d, np.zeros_like(d), tokens, y, first, size)


def embed_q4_1(quants, scales, tokens, y, first, size):
    """The truth of embed_q4.wgsl for Q4_1."""
    return embed(*q4_weights(quants, scales, True), tokens, y, first, size)


def embed_q4_0(quants, scales, tokens, y, first, size):
    """The truth of embed_q4.wgsl for Q4_0."""
    return embed(*q4_weights(quants, scales, False), tokens, y, first, size)


def attention_tile(q, keys, values, sums, tops, tokens, kv_heads, position, tiles, window):
    """Sums and tops of each tile. q: [tokens, heads, width]; keys, values: [positions, kv_heads, words]."""
    heads, width = q.shape[1:]
    k, v = np.zeros((2, 32 * tiles, kv_heads, width))
    k[: len(keys)], v[: len(values)] = (halves(one).reshape(len(one), kv_heads, width) for one in (keys, values))
    questions = q.astype(np.float64).reshape(tokens, kv_heads, heads // kv_heads, width)
    scores = np.einsum("pkw,tkgw->tpkg", k, questions)
    own = position + np.arange(tokens)[:, None]
    seen = np.arange(len(k))[None, :] <= own
    if window:
        seen &= np.arange(len(k))[None, :] > own - window
    scores = np.where(seen[:, :, None, None], scores, -np.inf).reshape(tokens, tiles, 32, kv_heads, -1)
    top = scores.max(axis=2)
    weights = np.exp(scores - np.where(np.isfinite(top), top, 0)[:, :, None])
    made = np.einsum("tskhg,skhw->tshgw", weights, v.reshape(tiles, 32, kv_heads, width))
    size = np.einsum("tskhg,skhw->tshgw", weights, np.abs(v).reshape(tiles, 32, kv_heads, width))
    total = weights.sum(axis=2)
    reach = np.einsum("pkw,tkgw->tpkg", np.abs(k), np.abs(questions)).max()
    top_and_total = np.stack((np.where(np.isfinite(top), top, -1e30), total), axis=-1)
    errors = np.stack((np.where(np.isfinite(top), reach, 1e30), total * (1 + reach)), axis=-1)
    return {
        "sums": with_tiles(sums, made, size * (1 + reach)),
        "tops": with_tiles(tops, top_and_total, errors),
    }


def with_tiles(space, made, errors):
    """What was there, with the tiles that were made in front; only they have an error."""
    value, scale = space.astype(np.float64), np.zeros(space.shape)
    value[:, : made.shape[1]] = made.reshape(len(space), made.shape[1], *space.shape[2:])
    scale[:, : made.shape[1]] = errors.reshape(len(space), made.shape[1], *space.shape[2:])
    return value, scale


def attention_merge(sums, tops, tokens, position, heads, columns):
    """The truth of attention_merge.wgsl."""
    made = np.zeros((tokens, heads, columns), np.float32)
    for token in range(tokens):
        tiles = (position + token) // 32 + 1
        share = exact_exp(tops[token, :tiles, :, 0] - tops[token, :tiles, :, 0].max(axis=0))
        whole = np.zeros(heads, np.float32)
        for tile in range(tiles):
            whole = whole + tops[token, tile, :, 1] * share[tile]
            made[token] = made[token] + sums[token, tile] * share[tile, :, None]
        made[token] /= whole[:, None]
    words, scales = quantise(made.reshape(tokens, heads * columns // 32, 32))
    return {"bytes": words, "scales": scales}


def rope_append(qkv, turns, tokens, heads, kv_heads, width, position, keys, values, size, bias=None, q_weight=None, k_weight=None):
    """The truth of rope_append.wgsl."""
    rows = qkv.reshape(tokens, heads + 2 * kv_heads, width)
    v = rows if bias is None else rows + bias.reshape(-1, width)
    if q_weight is not None:
        total = np.zeros(rows.shape[:2], np.float32)
        for i in range(width):
            total = total + np.square(rows[..., i])
        factor = exact_rsqrt(total / F(width) + F(size["epsilon"]))[..., None]
        v = v.copy()
        v[:, :heads] = (v[:, :heads] * factor[:, :heads]) * q_weight
        v[:, heads : heads + kv_heads] = (v[:, heads : heads + kv_heads] * factor[:, heads : heads + kv_heads]) * k_weight
    pairs = turns.shape[1]
    cosine, sine = (turns[position : position + tokens, None, :, i] for i in (0, 1))
    one, other = (slice(0, pairs), slice(pairs, 2 * pairs)) if size["halves"] else (slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2))
    turned = v[:, : heads + kv_heads].copy()
    turned[..., one] = v[:, : heads + kv_heads, one] * cosine - v[:, : heads + kv_heads, other] * sine
    turned[..., other] = v[:, : heads + kv_heads, other] * cosine + v[:, : heads + kv_heads, one] * sine
    made_keys, made_values = keys.copy(), values.copy()
    for target, source in ((made_keys, turned[:, heads:]), (made_values, v[:, heads + kv_heads :])):
        words = np.ascontiguousarray(source.astype(np.float16)).view(np.uint32)
        target[position : position + tokens] = words.reshape(tokens, *target.shape[1:])
    return {"q": (turned[:, :heads] * F(size["scale"])).reshape(tokens, heads, width), "keys": made_keys, "values": made_values}


def philox(counter, low, high):
    """The first word of Philox4x32-10 of a counter of four words, of which only the first is not 0."""
    words, key = [counter, 0, 0, 0], [low, high]
    for _ in range(10):
        a, b = 0xD2511F53 * words[0], 0xCD9E8D57 * words[2]
        words = [b >> 32 ^ words[1] ^ key[0], b & 0xFFFFFFFF, a >> 32 ^ words[3] ^ key[1], a & 0xFFFFFFFF]
        key = [key[0] + 0x9E3779B9 & 0xFFFFFFFF, key[1] + 0xBB67AE85 & 0xFFFFFFFF]
    return words[0]


def sample(logits, recent, state, tokens, chosen, kept, window, settings):
    """The truth of sample.wgsl."""
    logits, recent, chosen = logits.copy(), recent.copy(), chosen.copy()
    penalty, inverse = F(settings["penalty"]), F(settings["inverse_penalty"])
    for token in {int(one) for one in recent[:window] if one < len(logits)}:
        logits[token] *= inverse if logits[token] > 0 else penalty
    order = np.argsort(-logits, kind="stable")[:kept]
    apart = logits[order] - logits[order[0]]
    weights = exact_exp(apart)
    count = len(order)
    if settings["top_p"] < 1:
        sums = np.cumsum(weights, dtype=np.float32)
        count = int(np.argmax(sums >= F(settings["top_p"]) * sums[-1])) + 1
    count = int(np.flatnonzero(weights[:count] >= F(settings["min_p"]))[-1]) + 1
    sums = np.cumsum(exact_exp(apart[:count] * F(settings["inverse_temperature"])), dtype=np.float32)
    number = int(state["chosen"])
    bits = philox(settings["drawn"] + number & 0xFFFFFFFF, settings["seed_low"], settings["seed_high"])
    place = (F(bits >> 8) * F(2.0**-24)) * sums[-1]
    token = order[min(int(np.searchsorted(sums, place, side="right")), count - 1)]
    chosen[number] = token
    if window:
        recent[(settings["oldest"] + number) % window] = token
    return {
        "logits": logits,
        "recent": recent,
        "tokens": np.full_like(tokens, token),
        "chosen": chosen,
        "state.position": state["position"] + 1,
        "state.token": token,
        "state.chosen": number + 1,
    }
