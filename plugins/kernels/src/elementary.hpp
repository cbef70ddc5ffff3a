// Elementary functions of one number, free of branches, so that a loop over them becomes SIMD instructions.
//
// Every operation is rounded as it is written (the compiler may not fuse or reorder), and a fused multiply-add
// stands where one is meant. So a number has the same bits on every processor and at every place of an array.
// The polynomials are Chebyshev fits in 60-digit arithmetic; most terms of normal_tail are fitted to the first ones as
// they are rounded. NaN goes through every function.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace VARIANT {

template <class T> struct Format;

template <> struct Format<float> {
    using Bits = std::uint32_t;
    static constexpr int mantissa = 23;
    static constexpr Bits bias = 127;
    static constexpr float whole = 0x1.8p23f;  // added to a number, it leaves a whole number in the last bits
    static constexpr float log2e = 0x1.715476p+0f;
    static constexpr float ln2_high = 0x1.62e43p-1f, ln2_low = -0x1.05c61p-29f;
    static constexpr float lowest = -112.0f;  // 1000 e^x is 0 below
    static constexpr float gelu_tanh_end = -10.8f;  // 0 below
    static constexpr Bits lift = 64;  // makes exponents of e^x those of normal numbers
    static constexpr float exp_terms[] = {
        0.0013926183587713494542f, 0.0083631790527225773704f, 0.041666554617204574203f,
        0.16666576969898775683f, 0.5f};
    static constexpr float log_terms[] = {
        0.11612164612011674416f, 0.10853287900440186323f, 0.14296178997151418861f,
        0.19999853165964858701f, 0.33333333660263706234f};
    static constexpr float normal_centre[] = {
        -8.042693248093150811e-6f, 1.142616361034461202e-4f, -0.001186868832285151168f,
        0.00997347516316415218f, -0.06649037471420960916f, 0.3989422803445518443f};
    static constexpr float normal_tail[] = {
        -0.00026166572934f, -0.004837881308f, 0.010122974403f, 0.013354674913f, -0.036308348179f,
        -0.062518075109f, 0.29652184248f, -0.44251033664f, 0.31668183208f, 0.30867099762f};
    static constexpr float erf_centre[] = {
        1.230605478544607553e-6f, -1.766906802612569696e-5f, 2.17513541655825776e-4f,
        -0.002285419544872849331f, 0.0198524971409076156f, -0.1405360972775426767f,
        0.9654687386698673083f};
    static constexpr float erf_tail[] = {
        3.391982765258377174e-5f, 2.586706291612458637e-4f, -0.001933545673861903372f,
        0.006544141590223179922f, -0.01578429221637958462f, 0.029173854999746701f,
        -0.03995270209892583289f, 0.03232643339005265678f, 0.5535231886653431319f};
};

template <> struct Format<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa = 52;
    static constexpr Bits bias = 1023;
    static constexpr double whole = 0x1.8p52;
    static constexpr double log2e = 0x1.71547652b82fep+0;
    static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
    static constexpr double lowest = -753.0;
    static constexpr double gelu_tanh_end = -21.55;
    static constexpr Bits lift = 512;
    static constexpr double exp_terms[] = {
        2.0914686968086877233e-9, 2.5105217004720745164e-8, 2.7557273643110295328e-7,
        2.755725540020642443e-6, 0.000024801587325547741216, 0.00019841269874820625271,
        0.0013888888888883748305, 0.0083333333333261351258, 0.041666666666666669755,
        0.16666666666666670991, 0.5};
    static constexpr double log_terms[] = {
        0.074694142429899235094, 0.026417061140686356043, 0.046159721366841237431,
        0.04728581605603742337, 0.052659189060199418365, 0.058821970513368846939,
        0.066666726616529892489, 0.076923075383545863738, 0.090909090934402781283,
        0.1111111111108639435, 0.14285714285714410906, 0.19999999999999999751, 0.33333333333333333333};
    static constexpr double normal_centre[] = {
        4.29593974094326012e-12, -1.115718558522182258e-10, 2.272072561882129727e-9,
        -4.122575260597898981e-8, 6.659689760990538759e-7, -9.444656161049342943e-6,
        1.154346876000454232e-4, -0.001187328215478915419, 0.009973557010035741505,
        -0.06649038006690544488, 0.3989422804014326779};
    static constexpr double normal_tail[] = {
        -0.00002333083632018289466223, 0.0001617109217403712257896, -0.0004675385730011836463334,
        0.0007357913675650368549516, -0.0007222111967252917109558, 0.000501632465927600982615,
        -0.0001914684633789471418768, -0.00003210754378456747402948, -0.0001023582619351292921162,
        -0.000005181857641539221458497, 0.0003635936702607330374762, 0.0005683926215846562797832,
        -0.0004032394753660206417403, -0.002589410858826075249178, -0.001607642414736651544083,
        0.008744873681479643778847, 0.01338237709380778184265, -0.03620537895412981321819,
        -0.0625279512905824452762, 0.2965191391678975163515, -0.4425102731637145514476,
        0.316681861834726852134, 0.3086710004660920270148};
    static constexpr double erf_centre[] = {
        -3.806591224122139766e-13, 9.211250187428229855e-12, -2.035231956483526886e-10,
        4.115751500265884844e-9, -7.511569251086090265e-8, 1.223382763809357271e-6,
        -1.753716944128019682e-5, 2.175171560356348856e-4, -0.002285485561144085467,
        0.01985249668898421859, -0.1405360890227171207, 0.9654687386698673012};
    static constexpr double erf_tail[] = {
        -6.130466086898266965e-12, 6.225502168039239042e-10, 4.964273866966143857e-11,
        -8.291091384524901453e-9, 1.84990057317296311e-9, 7.868679960087164676e-8,
        -7.118106174419546735e-8, -6.953998338758985443e-7, 1.638007656399342525e-6,
        4.724276606695005815e-6, -2.968253352465347796e-5, 2.533899042346047805e-5,
        3.202223482720073036e-4, -0.001927563132990883733, 0.006499181794343461359,
        -0.01578590174847108688, 0.02918620209537972044, -0.03995258281755424729, 0.0323255112714966068,
        0.5535231886653432874};
};

inline float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

inline float absolute(float x) { return __builtin_fabsf(x); }
inline double absolute(double x) { return __builtin_fabs(x); }

inline float with_sign(float x, float sign) { return __builtin_copysignf(x, sign); }
inline double with_sign(double x, double sign) { return __builtin_copysign(x, sign); }

template <class T, int count> inline T polynomial(const T (&terms)[count], T x) {
    T value = terms[0];
#pragma GCC unroll 32
    for (int i = 1; i < count; ++i) value = fused(value, x, terms[i]);
    return value;
}

// Bounds leave NaN, as every comparison with it is false. Those of a factor beside one that is 0 long before |x| is
// 1000 keep ±∞ from NaN.
template <class T> inline T bounded_below(T x, T least = -1000) { return x < least ? least : x; }
template <class T> inline T bounded_above(T x, T most = 1000) { return x > most ? most : x; }
template <class T> inline T bounded(T x) { return bounded_above(bounded_below(x)); }

// x = n ln 2 + r with |r| <= ln 2 / 2, and e^r - 1 = r + rest, where r has no rounding error: ln2_high is so short.
template <class T> struct Reduced {
    using Bits = typename Format<T>::Bits;
    T moved, r, rest;  // n + whole, whose last bits are n

    // n + offset, which is above 0.
    Bits exponent(Bits offset) const {
        return std::bit_cast<Bits>(moved) + (offset - std::bit_cast<Bits>(Format<T>::whole));
    }
};

template <class T> inline Reduced<T> reduced(T x, T small = 0) {
    using F = Format<T>;
    const T moved = fused(x, F::log2e, F::whole), n = moved - F::whole;
    const T r = fused(-n, F::ln2_high, x), low = fused(-n, F::ln2_low, small), sum = r + low;
    return {moved, r, fused(sum * sum, polynomial(F::exp_terms, sum), low)};
}

// 2^(exponent - bias), for the exponent of a normal number.
template <class T> constexpr T power_of_two(typename Format<T>::Bits exponent) {
    return std::bit_cast<T>(exponent << Format<T>::mantissa);
}

// A power e^x in parts. What is raised is never subnormal, so that no digit is lost before the last product.
template <class T> struct Power {
    static constexpr T lowered = power_of_two<T>(Format<T>::bias - Format<T>::lift);
    T high, low, scale;  // e^x = (high + low) · scale · lowered

    T raised() const { return (high + low) * scale; }
    T raised(T factor) const { return fused(factor, high, factor * low) * scale; }  // rounded once
    T number() const { return raised() * lowered; }
};

// e^(x + small), for lowest <= x <= 1 and |small| of about the rounding error of x.
template <class T> inline Power<T> power_of_e(T x, T small) {
    using F = Format<T>;
    const Reduced<T> parts = reduced(x, small);
    const T high = 1 + parts.r;
    return {high, (parts.r - (high - 1)) + parts.rest, power_of_two<T>(parts.exponent(F::bias + F::lift))};
}

template <class T> inline Power<T> power_of_e(T x) { return power_of_e(bounded_below(x, Format<T>::lowest), T(0)); }
template <class T> inline T exponential(T x) { return power_of_e(x).number(); }

// 1 - e^x for -80 <= x <= 0.
template <class T> inline T one_less_exponential(T x) {
    const Reduced<T> parts = reduced(x);
    const T power = power_of_two<T>(parts.exponent(Format<T>::bias));
    return fused(-(parts.r + parts.rest), power, 1 - power);
}

// log(1 + x) for 0 <= x <= 1, as 2 artanh(x / (2 + x)).
template <class T> inline T log_one_plus(T x) {
    const T above = 2 + x, lost = x - (above - 2), s = x / above, t = s * s;
    // What the divisor lost by rounding changes the quotient; 0.42 is about 1 / above.
    return 2 * fused(s, fused(t, polynomial(Format<T>::log_terms, t), T(-0.42) * lost), s);
}

// e^(-square), for a square that was rounded and its error: square + error is exact.
template <class T> inline Power<T> power_of_square(T square, T error) {
    return power_of_e(bounded_below(-square, Format<T>::lowest), -error);
}

// The distribution function Φ of the standard normal in its lower tail: Φ(-|x|), |x| Φ(-|x|), its density, and |x|,
// which is bounded.
template <class T> struct Normal { T below, moment, density, size; };

template <class T> inline Normal<T> normal(T x) {
    using F = Format<T>;
    constexpr T edge = T(0.75), middle = T(1.5), spread = T(3), density_at_0 = T(0.39894228040143267794);
    const T size = bounded_above(absolute(x)), half = size * T(0.5), square = half * size;
    const Power<T> power = power_of_square(square, fused(half, size, -square));
    const T close = size > edge ? edge : size, far = size > edge ? size : edge;
    const T central = fused(-close, polynomial(F::normal_centre, close * close), T(0.5));
    // Near the edge, where the polynomial is steep, its argument is small, and its rounding error too.
    const T tail = power.raised(polynomial(F::normal_tail, (far - middle) / (far + spread))) * power.lowered;
    const T density = power.raised(density_at_0) * power.lowered;
    return {size > edge ? tail / far : central, size > edge ? tail : close * central, density, size};
}

}  // namespace VARIANT
