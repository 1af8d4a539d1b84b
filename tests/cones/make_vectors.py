#!/usr/bin/python3
"""Writes vectors.json: the cones of some seeds, computed with exact fractions and 60-digit decimals.

    tests/cones/make_vectors.py > tests/cones/vectors.json

Independent of src/probe/cones.cc on purpose: integers for the generator, Decimal and Newton's method for the arc sine.
"""
import json
from decimal import ROUND_FLOOR, Decimal, getcontext
from fractions import Fraction

getcontext().prec = 60
MASK = (1 << 64) - 1


def split_mix(seed):
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK


def units(seed):
    """xoshiro256** as fractions in [0, 1) with 53 bits."""
    source = split_mix(seed)
    s = [next(source) for _ in range(4)]
    while True:
        result = (rotl((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 45)
        yield Fraction(result >> 11, 1 << 53)


def decimal(x):
    return Decimal(x.numerator) / Decimal(x.denominator)


def sin_cos(x):
    sin, cos, term, n = Decimal(0), Decimal(0), Decimal(1), 0
    while abs(term) > Decimal(10) ** -58:
        if n % 2 == 0:
            cos += term if n % 4 == 0 else -term
        else:
            sin += term if n % 4 == 1 else -term
        n += 1
        term = term * x / n
    return sin, cos


def arctan_inverse(n):
    total, power, k = Decimal(0), Decimal(1) / n, 0
    while power > Decimal(10) ** -59:
        total += power / (2 * k + 1) * (1 if k % 2 == 0 else -1)
        power /= n * n
        k += 1
    return total


PI = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))


def asin(x):
    if x == 1 or x == -1:
        return x * PI / 2
    guess = Decimal(repr(__import__("math").asin(float(x))))
    for _ in range(6):
        sin, cos = sin_cos(guess)
        if cos == 0:
            break
        guess -= (sin - x) / cos
    return guess


def rounded(x):
    steps = (x * 10**7 + Decimal("0.5")).to_integral_value(rounding=ROUND_FLOOR)
    return steps / 10**7


def cones(seed, count, low, high):
    u = units(seed)
    result = []
    for _ in range(count):
        ra = rounded(360 * decimal(next(u)))
        dec = rounded(asin(decimal(2 * next(u) - 1)) * 180 / PI)
        radius = rounded(Decimal(low) + (Decimal(high) - Decimal(low)) * decimal(next(u)))
        result.append({"ra": float(ra % 360), "dec": float(dec), "radius": float(radius)})
    return result


def main():
    vectors = []
    for seed, count, low, high in [
        (0, 10, "0.05", "0.25"),
        (1, 10, "0.05", "0.25"),
        (42, 200, "0.05", "0.25"),
        (20261122, 20, "0.1", "0.1"),
        (MASK, 10, "0", "180"),
    ]:
        vectors.append({
            "seed": str(seed), "count": count, "radius_min": float(low), "radius_max": float(high),
            "cones": cones(seed, count, low, high),
        })
    lines = []
    for vector in vectors:
        head = json.dumps({k: v for k, v in vector.items() if k != "cones"})[:-1]
        lines.append(head + ', "cones": [\n  ' + ",\n  ".join(json.dumps(c) for c in vector["cones"]) + "\n]}")
    print("[\n" + ",\n".join(lines) + "\n]")


main()
