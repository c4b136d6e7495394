/* Adaptive Runge-Kutta-Fehlberg 4(5) (Fehlberg 1969, NASA TR R-315, formula 2): order 5 is carried on, the
   difference to order 4 is the error. Steps are 2^-level of the length asked for, so that what has an exact
   solution can be tabulated at the points where it is needed. */
#ifndef INTERSPIKE_RKF45_H
#define INTERSPIKE_RKF45_H

#include <array>
#include <cmath>
#include <cstdint>

#include "interspike_math.h"

namespace interspike INTERSPIKE_LOCAL
{

constexpr int max_substeps = 100000;
constexpr int max_level = 40;
/* where within a step the rates are evaluated, besides its start */
constexpr int number_of_nodes = 5;
constexpr double nodes[ number_of_nodes ] = { 1.0 / 4.0, 3.0 / 8.0, 12.0 / 13.0, 1.0, 1.0 / 2.0 };
/* a step may be twice as long when its error is below this part of what is allowed: 2^-5, and a margin */
constexpr double small_error = 1.0 / 64.0;

struct No_flow
{
};

/* how much smaller steps must be: each level divides the error by 2^5 */
template < int N >
int
finer( const std::array< double, N >& y, const std::array< double, N >& error, const double absolute, const double relative )
{
  double worst = 0.0;
  for ( int i = 0; i < N; ++i )
  {
    const double ratio = std::fabs( error[ i ] ) / ( absolute + relative * std::fabs( y[ i ] ) );
    worst = ratio > worst ? ratio : worst;
  }
  int levels = 1;
  for ( ; worst > 16.0 and levels < 3; worst /= 32.0 )
  {
    ++levels;
  }
  return levels;
}

/* Advance y over `length`, beginning with a trial step of `trial`, which is kept up to date for the next
   call. A step is taken when each error is below absolute + relative * |y|, or when it cannot be made
   shorter. False: the solution is not finite, or it takes too many steps.

   x are states that have an exact solution, which the rates read: `prepare( level, step, own )` gives the
   table of coefficients for steps of this level (`own` is room for one), `move( table[ node ], x, to )`
   applies them, and `rate( y, x, t, dy )` gives dy. */
template < int N, int M, typename Flow, typename Prepare, typename Move, typename Rate >
INTERSPIKE_INLINE bool
rkf45( std::array< double, N >& y,
  std::array< double, M >& x,
  const double begin,
  const double length,
  double& trial,
  const double absolute,
  const double relative,
  Prepare prepare,
  Move move,
  Rate rate )
{
  using Values = std::array< double, N >;
  constexpr std::int64_t whole = std::int64_t( 1 ) << max_level;
  int level = 0;
  if ( trial > 0.0 and trial < length )
  {
    level = std::min( max_level, std::max( 0, -std::ilogb( trial / length ) ) );
  }
  std::int64_t position = 0;
  Values k0, k1, k2, k3, k4, k5, at, next, error;
  std::array< double, M > x1, x2, x3, x4, x5;
  bool is_fresh = true;
  for ( int count = 0; count < max_substeps; ++count )
  {
    const double part = std::ldexp( 1.0, -level );
    const double h = level ? length * part : length;
    const double t = position ? begin + length * std::ldexp( static_cast< double >( position ), -max_level ) : begin;
    std::array< Flow, number_of_nodes > own;
    [[maybe_unused]] const Flow* flow = prepare( level, h, own );
    if ( is_fresh )
    {
      rate( y, x, t, k0 );
    }
    move( flow[ 0 ], x, x1 );
    INTERSPIKE_UNROLL
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = y[ i ] + h * ( 1.0 / 4.0 ) * k0[ i ];
    }
    rate( at, x1, t + h * nodes[ 0 ], k1 );
    move( flow[ 1 ], x, x2 );
    INTERSPIKE_UNROLL
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = ( y[ i ] + h * ( 3.0 / 32.0 ) * k0[ i ] ) + h * ( 9.0 / 32.0 ) * k1[ i ];
    }
    rate( at, x2, t + h * nodes[ 1 ], k2 );
    move( flow[ 2 ], x, x3 );
    INTERSPIKE_UNROLL
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = ( y[ i ] + h * ( 1932.0 / 2197.0 * k0[ i ] - 7200.0 / 2197.0 * k1[ i ] ) )
        + h * ( 7296.0 / 2197.0 ) * k2[ i ];
    }
    rate( at, x3, t + h * nodes[ 2 ], k3 );
    move( flow[ 3 ], x, x4 );
    INTERSPIKE_UNROLL
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = ( y[ i ] + h * ( 439.0 / 216.0 * k0[ i ] - 8.0 * k1[ i ] + 3680.0 / 513.0 * k2[ i ] ) )
        - h * ( 845.0 / 4104.0 ) * k3[ i ];
    }
    rate( at, x4, t + h, k4 );
    move( flow[ 4 ], x, x5 );
    INTERSPIKE_UNROLL
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = ( y[ i ]
                  + h * ( -8.0 / 27.0 * k0[ i ] + 2.0 * k1[ i ] - 3544.0 / 2565.0 * k2[ i ] + 1859.0 / 4104.0 * k3[ i ] ) )
        - h * ( 11.0 / 40.0 ) * k4[ i ];
    }
    rate( at, x5, t + h * nodes[ 4 ], k5 );
    bool fits = true, is_small = true, is_finite = true;
    INTERSPIKE_UNROLL
    for ( int i = 0; i < N; ++i )
    {
      next[ i ] = ( y[ i ]
                    + h * ( 16.0 / 135.0 * k0[ i ] + 6656.0 / 12825.0 * k2[ i ] + 28561.0 / 56430.0 * k3[ i ]
                        - 9.0 / 50.0 * k4[ i ] ) )
        + h * ( 2.0 / 55.0 ) * k5[ i ];
      error[ i ] = h * ( 1.0 / 360.0 * k0[ i ] - 128.0 / 4275.0 * k2[ i ] - 2197.0 / 75240.0 * k3[ i ] + 1.0 / 50.0 * k4[ i ] )
        + h * ( 2.0 / 55.0 ) * k5[ i ];
      const double size = std::fabs( error[ i ] );
      const double allowed = absolute + relative * std::fabs( next[ i ] );
      fits = fits and size <= 1.1 * allowed; /* false for NaN */
      is_small = is_small and size <= small_error * allowed;
      is_finite = is_finite and std::fabs( next[ i ] ) <= 1e300;
    }
    if ( ( fits or level == max_level ) and is_finite )
    {
      y = next;
      x = x4;
      position += whole >> level;
      is_fresh = true;
      const bool is_last = position == whole;
      if ( level and is_small and ( position & ( whole >> ( level - 1 ) ) - 1 ) == 0 )
      {
        --level;
      }
      if ( is_last )
      {
        trial = level ? length * std::ldexp( 1.0, -level ) : std::max( trial, is_small ? 2.0 * length : length );
        return true;
      }
    }
    else
    {
      if ( level == max_level )
      {
        return false;
      }
      is_fresh = false;
      level = std::min( max_level, level + ( is_finite ? finer< N >( next, error, absolute, relative ) : 3 ) );
    }
  }
  return false;
}

/* the same where nothing has an exact solution */
template < int N, typename Rate >
INTERSPIKE_INLINE bool
rkf45( std::array< double, N >& y,
  const double begin,
  const double length,
  double& trial,
  const double absolute,
  const double relative,
  Rate rate )
{
  std::array< double, 0 > none;
  return rkf45< N, 0, No_flow >(
    y,
    none,
    begin,
    length,
    trial,
    absolute,
    relative,
    []( int, double, const std::array< No_flow, number_of_nodes >& own ) { return own.data(); },
    []( const No_flow&, const std::array< double, 0 >&, std::array< double, 0 >& ) {},
    [ & ]( const std::array< double, N >& y, const std::array< double, 0 >&, const double t, std::array< double, N >& dy )
    { rate( y, t, dy ); } );
}

}

#endif
