// Elementary functions of one number, free of branches, so that a loop over them becomes SIMD instructions.
//
// Every operation is rounded as it is written (the compiler may not fuse or reorder), and a fused multiply-add
// stands where one is meant. So a number has the same bits on every processor and at every place of an array.
// The polynomials are Chebyshev fits in 60-digit arithmetic. NaN goes through every function.
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
    static constexpr float lowest = -104.0f;  // e^x is 0 below
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
        -4.763892177311329709e-5f, 9.306919393831908185e-5f, 4.115225940076836874e-4f,
        -0.002813339225899840503f, 0.009140581206226327325f, -0.02067118716350690691f,
        0.0349623224254843648f, -0.04341367200909680335f, 0.03260472094641329457f,
        0.3886758906693347978f};
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
    static constexpr double ln2_high = 0x1.62e42fefa39efp-1, ln2_low = 0x1.abc9e3b39803fp-56;
    static constexpr double lowest = -746.0;
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
        -9.318909902321307838e-11, -2.536802933711540681e-10, 9.975258893733320728e-10,
        3.207883356461162491e-9, -6.93183873654538031e-9, -2.620501915344140681e-8,
        4.999374698944738494e-8, 1.907775175703623897e-7, -4.572400295065005784e-7,
        -1.27053519177975474e-6, 5.113074590625311232e-6, 4.943229780636550641e-6,
        -5.879822216628450596e-5, 8.498118766022512217e-5, 4.208625580325616089e-4,
        -0.002807345672131653131, 0.009137311188767744541, -0.02067316283913176431,
        0.0349627275227444526, -0.0434134341494781593, 0.03260471285835792276, 0.3886758859466811118};
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

// x = n ln 2 + r with |r| <= ln 2 / 2, and e^r - 1.
template <class T> struct Reduced {
    using Bits = typename Format<T>::Bits;
    T moved, rest;  // n + whole, whose last bits are n

    // n + offset, which is above 0.
    Bits exponent(Bits offset) const {
        return std::bit_cast<Bits>(moved) + (offset - std::bit_cast<Bits>(Format<T>::whole));
    }
};

template <class T> inline Reduced<T> reduced(T x, T small = 0) {
    using F = Format<T>;
    const T moved = fused(x, F::log2e, F::whole), n = moved - F::whole;
    const T r = fused(-n, F::ln2_low, fused(-n, F::ln2_high, x)) + small;
    return {moved, fused(r * r, polynomial(F::exp_terms, r), r)};
}

// 2^(exponent - bias), for the exponent of a normal number.
template <class T> constexpr T power_of_two(typename Format<T>::Bits exponent) {
    return std::bit_cast<T>(exponent << Format<T>::mantissa);
}

// e^(x + small), for x <= 0 and |small| of about the rounding error of x.
template <class T> inline T exponential(T x, T small = 0) {
    using F = Format<T>;
    x = x < F::lowest ? F::lowest : x;  // NaN stays, as every comparison with it is false
    const Reduced<T> parts = reduced(x, small);
    // In two factors, since the result may be subnormal.
    constexpr T lowered = power_of_two<T>(F::bias - F::lift);
    return ((1 + parts.rest) * power_of_two<T>(parts.exponent(F::bias + F::lift))) * lowered;
}

// e^x - 1 for 0 <= x <= 80.
template <class T> inline T exponential_less_one(T x) {
    const Reduced<T> parts = reduced(x);
    const T power = power_of_two<T>(parts.exponent(Format<T>::bias));
    return fused(parts.rest, power, power - 1);
}

// log(1 + x) for 0 <= x <= 1, as 2 artanh(x / (2 + x)).
template <class T> inline T log_one_plus(T x) {
    const T s = x / (2 + x), t = s * s;
    return 2 * fused(s * t, polynomial(Format<T>::log_terms, t), s);
}

// A factor beside one that is 0 long before |x| is 1000, so that ±∞ gives 0 and not NaN.
template <class T> inline T bounded_below(T x) { return x < T(-1000) ? T(-1000) : x; }
template <class T> inline T bounded_above(T x) { return x > T(1000) ? T(1000) : x; }
template <class T> inline T bounded(T x) { return bounded_above(bounded_below(x)); }

// e^(-square), for a square that was rounded and its error: square + error is exact.
template <class T> inline T exponential_of_square(T square, T error) { return exponential(-square, -error); }

// The distribution function Φ of the standard normal in its lower tail: Φ(-|x|), |x| Φ(-|x|), its density, and |x|,
// which is bounded.
template <class T> struct Normal { T below, moment, density, size; };

template <class T> inline Normal<T> normal(T x) {
    using F = Format<T>;
    constexpr T edge = T(0.875), centre = T(4.25), density_at_0 = T(0.39894228040143267794);
    const T size = bounded_above(absolute(x)), half = size * T(0.5), square = half * size;
    const T power = exponential_of_square(square, fused(half, size, -square));
    const T close = size > edge ? edge : size, far = size > edge ? size : edge;
    const T central = T(0.5) - close * polynomial(F::normal_centre, close * close);
    const T tail = power * polynomial(F::normal_tail, 1 - 2 * (edge + centre) / (far + centre));
    return {size > edge ? tail / far : central, size > edge ? tail : close * central, density_at_0 * power, size};
}

}  // namespace VARIANT
