/* Functions of models that the C++ library lacks, in double precision. */
#ifndef INTERSPIKE_MATH_H
#define INTERSPIKE_MATH_H

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

/* two modules, made by different versions, may be loaded in one process: nothing of ours is shared */
#if defined( __GNUC__ )
#define INTERSPIKE_LOCAL __attribute__( ( visibility( "hidden" ) ) )
#define INTERSPIKE_ALWAYS __attribute__( ( always_inline ) )
#else
#define INTERSPIKE_LOCAL
#define INTERSPIKE_ALWAYS
#endif
#define INTERSPIKE_INLINE inline INTERSPIKE_ALWAYS
#if defined( __clang__ )
#define INTERSPIKE_UNROLL _Pragma( "clang loop unroll(full)" )
#elif defined( __GNUC__ )
#define INTERSPIKE_UNROLL _Pragma( "GCC unroll 16" )
#else
#define INTERSPIKE_UNROLL
#endif

namespace interspike INTERSPIKE_LOCAL
{

constexpr double infinity = std::numeric_limits< double >::infinity();
constexpr double nan = std::numeric_limits< double >::quiet_NaN();

template < int N >
constexpr double
power( const double x )
{
  if constexpr ( N == 1 )
  {
    return x;
  }
  else
  {
    const double half = power< N / 2 >( x );
    return N % 2 ? half * half * x : half * half;
  }
}

inline double
sign( const double x )
{
  return ( x > 0.0 ) - ( x < 0.0 );
}

/* 0 below zero, 1 above, one half at zero */
inline double
heaviside( const double x )
{
  return x > 0.0 ? 1.0 : ( x < 0.0 ? 0.0 : 0.5 );
}

inline double
minimum( const double a, const double b )
{
  return a < b ? a : b;
}

inline double
maximum( const double a, const double b )
{
  return a > b ? a : b;
}

inline double
factorial( const double x )
{
  const double n = std::nearbyint( x );
  return n < 0.0 ? nan : std::round( std::tgamma( n + 1.0 ) );
}

/* the number of steps of h in x, rounded up; whole numbers stay so in spite of rounding */
inline double
steps( const double x, const double h )
{
  return std::ceil( x / h - 1e-6 );
}

/* (exp(x) - 1) / x, 1 at x = 0 */
inline double
exprel( const double x )
{
  return std::fabs( x ) < 1e-300 ? 1.0 : std::expm1( x ) / x;
}

inline double
bit_and( const double a, const double b )
{
  return static_cast< double >( static_cast< long >( a ) & static_cast< long >( b ) );
}

inline double
bit_or( const double a, const double b )
{
  return static_cast< double >( static_cast< long >( a ) | static_cast< long >( b ) );
}

inline double
bit_xor( const double a, const double b )
{
  return static_cast< double >( static_cast< long >( a ) ^ static_cast< long >( b ) );
}

inline double
bit_not( const double a )
{
  return static_cast< double >( ~static_cast< long >( a ) );
}

inline double
shift_left( const double a, const double b )
{
  return static_cast< double >( static_cast< long >( a ) << static_cast< long >( b ) );
}

inline double
shift_right( const double a, const double b )
{
  return static_cast< double >( static_cast< long >( a ) >> static_cast< long >( b ) );
}

template < int N >
using Matrix = std::array< std::array< double, N >, N >;

template < int N >
Matrix< N >
product( const Matrix< N >& a, const Matrix< N >& b )
{
  Matrix< N > c {};
  for ( int i = 0; i < N; ++i )
  {
    for ( int k = 0; k < N; ++k )
    {
      for ( int j = 0; j < N; ++j )
      {
        c[ i ][ j ] += a[ i ][ k ] * b[ k ][ j ];
      }
    }
  }
  return c;
}

template < int N >
double
largest_row( const Matrix< N >& a )
{
  double worst = 0.0;
  for ( const auto& row : a )
  {
    double sum = 0.0;
    for ( const double x : row )
    {
      sum += std::fabs( x );
    }
    worst = std::max( worst, sum );
  }
  return worst;
}

/* exp(a) by a Taylor series with scaling and squaring; with `shift` the series is that of a + shift */
template < int N >
Matrix< N >
exponential( Matrix< N > a, const int extra = 1, const bool is_shifted = false )
{
  const double norm = largest_row< N >( a );
  if ( not std::isfinite( norm ) )
  {
    Matrix< N > unknown;
    for ( auto& row : unknown )
    {
      row.fill( nan );
    }
    return unknown;
  }
  const int squarings = std::max( 0, static_cast< int >( std::ceil( std::log2( std::max( 1.0, norm ) ) ) ) + extra );
  double shift = 0.0;
  for ( int i = 0; i < N; ++i )
  {
    for ( int j = 0; j < N; ++j )
    {
      a[ i ][ j ] = std::ldexp( a[ i ][ j ], -squarings );
    }
  }
  if ( is_shifted )
  {
    for ( int i = 0; i < N; ++i )
    {
      shift = std::min( shift, a[ i ][ i ] );
    }
    for ( int i = 0; i < N; ++i )
    {
      a[ i ][ i ] -= shift;
    }
  }
  Matrix< N > total {};
  for ( int i = 0; i < N; ++i )
  {
    total[ i ][ i ] = 1.0;
  }
  Matrix< N > term = total;
  for ( int k = 1; k < 30; ++k )
  {
    term = product< N >( term, a );
    for ( int i = 0; i < N; ++i )
    {
      for ( int j = 0; j < N; ++j )
      {
        term[ i ][ j ] /= k;
        total[ i ][ j ] += term[ i ][ j ];
      }
    }
  }
  const double scale = std::exp( shift );
  for ( auto& row : total )
  {
    for ( double& x : row )
    {
      x *= scale;
    }
  }
  for ( int k = 0; k < squarings; ++k )
  {
    total = product< N >( total, total );
  }
  return total;
}

/* The divided difference exp[x0, ..., xn], right to rounding at equal and near-equal points: the corner
   of exp of a bidiagonal matrix (Opitz 1964), with all terms of the series positive. */
template < int N >
double
expdd( const std::array< double, N >& points )
{
  const double top = *std::max_element( points.begin(), points.end() );
  Matrix< N > a {};
  for ( int i = 0; i < N; ++i )
  {
    a[ i ][ i ] = points[ i ] - top;
    if ( i + 1 < N )
    {
      a[ i ][ i + 1 ] = 1.0;
    }
  }
  return exponential< N >( a, 3, true )[ 0 ][ N - 1 ] * std::exp( top );
}

}

#endif
