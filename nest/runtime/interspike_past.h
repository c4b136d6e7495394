/* The past of one variable, step by step. */
#ifndef INTERSPIKE_PAST_H
#define INTERSPIKE_PAST_H

#include <vector>

#include "interspike_nest.h"

namespace interspike INTERSPIKE_LOCAL
{

class Past
{
public:
  void
  clear()
  {
    ring_.clear();
  }

  /* a delay in steps; what is not known of the past is taken to have been `value` */
  void
  prepare( const double delay, const double value )
  {
    if ( not( delay > -0.5 and delay < 1e9 ) )
    {
      throw nest::BadProperty( "the delay of a variable must not be negative" );
    }
    const size_t wanted = static_cast< size_t >( std::lround( delay ) ) + 1;
    if ( ring_.size() != wanted )
    {
      ring_.assign( wanted, value );
      place_ = 0;
    }
  }

  /* the beginning of a step, at which the variable is `value`: what it was before */
  double
  shift( const double value )
  {
    ring_[ place_ ] = value;
    place_ = ( place_ + 1 ) % ring_.size();
    return ring_[ place_ ];
  }

private:
  std::vector< double > ring_;
  size_t place_ = 0;
};

}

#endif
