/* The same adaptive method by the GNU Scientific Library, for those who want its step control. NEST brings
   the library; its headers have to be installed. */
#ifndef INTERSPIKE_GSL_H
#define INTERSPIKE_GSL_H

#include <array>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>

#include "interspike_math.h"

namespace interspike INTERSPIKE_LOCAL
{

constexpr int max_gsl_steps = 100000;

/* What the library keeps between calls: one for each number of equations and each thread. */
template < int N >
class Gsl_workspace
{
public:
  Gsl_workspace()
    : step( gsl_odeiv2_step_alloc( gsl_odeiv2_step_rkf45, N ) )
    , control( gsl_odeiv2_control_standard_new( 1e-6, 1e-6, 1.0, 0.0 ) )
    , evolve( gsl_odeiv2_evolve_alloc( N ) )
  {
  }

  ~Gsl_workspace()
  {
    gsl_odeiv2_evolve_free( evolve );
    gsl_odeiv2_control_free( control );
    gsl_odeiv2_step_free( step );
  }

  Gsl_workspace( const Gsl_workspace& ) = delete;
  Gsl_workspace& operator=( const Gsl_workspace& ) = delete;

  static Gsl_workspace&
  own()
  {
    thread_local Gsl_workspace workspace;
    return workspace;
  }

  gsl_odeiv2_step* const step;
  gsl_odeiv2_control* const control;
  gsl_odeiv2_evolve* const evolve;
};

/* As `rkf45` without exact states. */
template < int N, typename Rate >
inline bool
gsl_rkf45( std::array< double, N >& y,
  const double begin,
  const double length,
  double& trial,
  const double absolute,
  const double relative,
  Rate rate )
{
  auto& workspace = Gsl_workspace< N >::own();
  gsl_odeiv2_control_init( workspace.control, absolute, relative, 1.0, 0.0 );
  gsl_odeiv2_evolve_reset( workspace.evolve );
  gsl_odeiv2_step_reset( workspace.step );
  const auto call = []( const double t, const double* at, double* dy, void* given ) -> int
  {
    const auto& values = *reinterpret_cast< const std::array< double, N >* >( at );
    ( *static_cast< Rate* >( given ) )( values, t, *reinterpret_cast< std::array< double, N >* >( dy ) );
    return GSL_SUCCESS;
  };
  gsl_odeiv2_system system = { call, nullptr, N, &rate };
  if ( not( trial > 0.0 ) )
  {
    trial = length;
  }
  double done = 0.0;
  for ( int count = 0; done < length; ++count )
  {
    double t = begin + done;
    double next = trial;
    const double end = begin + length;
    const int status = gsl_odeiv2_evolve_apply( workspace.evolve, workspace.control, workspace.step, &system, &t, end, &next, y.data() );
    if ( status != GSL_SUCCESS or count >= max_gsl_steps )
    {
      return false;
    }
    done = t >= end ? length : t - begin;
    trial = next;
  }
  for ( const double value : y )
  {
    if ( not std::isfinite( value ) )
    {
      return false;
    }
  }
  return true;
}

}

#endif
