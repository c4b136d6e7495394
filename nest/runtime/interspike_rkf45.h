/* Adaptive Runge-Kutta-Fehlberg 4(5) (Fehlberg 1969, NASA TR R-315, formula 2): order 5 is carried on, the
   difference to order 4 is the error. */
#ifndef INTERSPIKE_RKF45_H
#define INTERSPIKE_RKF45_H

#include <algorithm>
#include <array>
#include <cmath>

#include "interspike_math.h"

namespace interspike INTERSPIKE_LOCAL
{

constexpr int max_substeps = 100000;

/* Advance y over `length`, beginning with a trial step of `trial`, which is kept up to date for the next
   call. A step is taken when each error is below absolute + relative * |y|. False: it does not converge. */
template < int N, typename Rate >
bool
rkf45( std::array< double, N >& y,
  const double begin,
  const double length,
  double& trial,
  const double absolute,
  const double relative,
  Rate rate )
{
  std::array< double, N > k[ 6 ], at, next;
  double done = 0.0;
  if ( not( trial > 0.0 ) )
  {
    trial = length;
  }
  bool is_fresh = true;
  for ( int count = 0; count < max_substeps; ++count )
  {
    const bool is_last = trial >= length - done;
    const double h = is_last ? length - done : trial;
    const double t = begin + done;
    if ( is_fresh )
    {
      rate( y, t, k[ 0 ] );
    }
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = y[ i ] + h * ( 1.0 / 4.0 ) * k[ 0 ][ i ];
    }
    rate( at, t + h / 4.0, k[ 1 ] );
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = y[ i ] + h * ( 3.0 / 32.0 * k[ 0 ][ i ] + 9.0 / 32.0 * k[ 1 ][ i ] );
    }
    rate( at, t + 3.0 / 8.0 * h, k[ 2 ] );
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = y[ i ]
        + h * ( 1932.0 / 2197.0 * k[ 0 ][ i ] - 7200.0 / 2197.0 * k[ 1 ][ i ] + 7296.0 / 2197.0 * k[ 2 ][ i ] );
    }
    rate( at, t + 12.0 / 13.0 * h, k[ 3 ] );
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = y[ i ]
        + h * ( 439.0 / 216.0 * k[ 0 ][ i ] - 8.0 * k[ 1 ][ i ] + 3680.0 / 513.0 * k[ 2 ][ i ]
          - 845.0 / 4104.0 * k[ 3 ][ i ] );
    }
    rate( at, t + h, k[ 4 ] );
    for ( int i = 0; i < N; ++i )
    {
      at[ i ] = y[ i ]
        + h * ( -8.0 / 27.0 * k[ 0 ][ i ] + 2.0 * k[ 1 ][ i ] - 3544.0 / 2565.0 * k[ 2 ][ i ]
          + 1859.0 / 4104.0 * k[ 3 ][ i ] - 11.0 / 40.0 * k[ 4 ][ i ] );
    }
    rate( at, t + h / 2.0, k[ 5 ] );
    double worst = 0.0;
    for ( int i = 0; i < N; ++i )
    {
      next[ i ] = y[ i ]
        + h * ( 16.0 / 135.0 * k[ 0 ][ i ] + 6656.0 / 12825.0 * k[ 2 ][ i ] + 28561.0 / 56430.0 * k[ 3 ][ i ]
          - 9.0 / 50.0 * k[ 4 ][ i ] + 2.0 / 55.0 * k[ 5 ][ i ] );
      const double error = h
        * ( 1.0 / 360.0 * k[ 0 ][ i ] - 128.0 / 4275.0 * k[ 2 ][ i ] - 2197.0 / 75240.0 * k[ 3 ][ i ]
          + 1.0 / 50.0 * k[ 4 ][ i ] + 2.0 / 55.0 * k[ 5 ][ i ] );
      const double ratio = std::fabs( error ) / ( absolute + relative * std::fabs( next[ i ] ) );
      worst = ratio <= worst ? worst : ratio; /* keeps NaN */
    }
    if ( worst <= 1.1 )
    {
      y = next;
      done += h;
      is_fresh = true;
      if ( worst < 0.5 )
      {
        const double grown = h * std::min( 5.0, std::max( 1.0, 0.9 * std::pow( worst, -1.0 / 6.0 ) ) );
        trial = is_last ? std::max( trial, grown ) : grown;
      }
      if ( is_last )
      {
        return true;
      }
    }
    else
    {
      is_fresh = false;
      const double shrink = std::isfinite( worst ) ? std::max( 0.2, 0.9 * std::pow( worst, -1.0 / 5.0 ) ) : 0.2;
      trial = h * shrink;
      if ( trial < 1e-12 * length )
      {
        return false;
      }
    }
  }
  return false;
}

}

#endif
