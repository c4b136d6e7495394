/* What every model made by interspike needs of NEST 3.8 to 3.10: one dictionary interface, random
   numbers, and values that equal neurons share. */
#ifndef INTERSPIKE_NEST_H
#define INTERSPIKE_NEST_H

#include "config.h"
/* NEST itself may have been built with Boost; a module gets by without its headers */
#undef HAVE_BOOST

#include <bitset>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "archiving_node.h"
#include "connection.h"
#include "dict_util.h"
#include "event.h"
#include "event_delivery_manager_impl.h"
#include "exceptions.h"
#include "kernel_manager.h"
#include "nest_time.h"
#include "nest_types.h"
#include "random_generators.h"
#include "recordables_map.h"
#include "ring_buffer.h"
#include "ring_buffer_impl.h"
#include "universal_data_logger.h"
#include "universal_data_logger_impl.h"
#if not __has_include( "dictionary.h" )
#include "dictdatum.h"
#include "dictutils.h"
#endif

#include "interspike_math.h"

/* what a model reports during a run */
#if __has_include( "dictionary.h" )
#define INTERSPIKE_LOG( level, where, text ) LOG( nest::VerbosityLevel::level, where, text )
#else
#define INTERSPIKE_LOG( level, where, text ) LOG( nest::M_##level, where, text )
#endif

namespace interspike INTERSPIKE_LOCAL
{

#if __has_include( "dictionary.h" )

using Dict = ::Dictionary;

template < typename T >
bool
read( const Dict& d, const char* key, T& value, nest::Node* node )
{
  return nest::update_value_param( d, key, value, node );
}

template < typename T >
bool
read( const Dict& d, const char* key, T& value )
{
  return d.update_value( key, value );
}

template < typename T >
void
write( Dict& d, const char* key, const T& value )
{
  d[ key ] = value;
}

inline bool
known( const Dict& d, const char* key )
{
  return d.known( key );
}

inline void
write_receptors( Dict& d, const std::vector< std::pair< const char*, long > >& receptors )
{
  Dict inner;
  for ( const auto& item : receptors )
  {
    inner[ item.first ] = item.second;
  }
  d[ nest::names::receptor_types ] = inner;
}

template < typename Map >
void
write_recordables( Dict& d, const Map& map )
{
  d[ nest::names::recordables ] = map.get_list();
}

#else

using Dict = ::DictionaryDatum;

template < typename T >
bool
read( const Dict& d, const char* key, T& value, nest::Node* node )
{
  return nest::updateValueParam< T >( d, key, value, node );
}

template < typename T >
bool
read( const Dict& d, const char* key, T& value )
{
  return updateValue< T >( d, key, value );
}

template < typename T >
void
write( Dict& d, const char* key, const T& value )
{
  def< T >( d, key, value );
}

inline bool
known( const Dict& d, const char* key )
{
  return d->known( key );
}

inline void
write_receptors( Dict& d, const std::vector< std::pair< const char*, long > >& receptors )
{
  Dict inner = new ::Dictionary;
  for ( const auto& item : receptors )
  {
    ( *inner )[ item.first ] = item.second;
  }
  ( *d )[ nest::names::receptor_types ] = inner;
}

template < typename Map >
void
write_recordables( Dict& d, const Map& map )
{
  ( *d )[ nest::names::recordables ] = map.get_list();
}

#endif

/* integers and truth values are kept as doubles inside of a model */
inline bool
read_integer( const Dict& d, const char* key, double& value, nest::Node* node )
{
  long given = static_cast< long >( value );
  const bool found = read( d, key, given, node );
  value = found ? static_cast< double >( given ) : value;
  return found;
}

inline bool
read_boolean( const Dict& d, const char* key, double& value, nest::Node* node )
{
  bool given = value != 0.0;
  const bool found = read( d, key, given, node );
  value = found ? static_cast< double >( given ) : value;
  return found;
}

/* a standard normal number; no state is kept between calls, so draws do not depend on other nodes */
inline double
normal( nest::RngPtr rng )
{
  nest::normal_distribution distribution;
  return distribution( rng );
}

inline double
poisson( nest::RngPtr rng, const double mean )
{
  if ( not( mean > 0.0 ) )
  {
    return 0.0;
  }
  nest::poisson_distribution::param_type parameters( mean );
  nest::poisson_distribution distribution;
  return static_cast< double >( distribution( rng, parameters ) );
}

/* Values computed from parameters, kept once for all neurons whose parameters are equal. `Shared` has
   a member `given` of plain doubles, a member `h` and a function `compute()`. */
template < typename Shared >
class Pool
{
public:
  using Given = decltype( Shared::given );

  static std::shared_ptr< const Shared >
  get( const Given& given, const double h )
  {
    const size_t key = hash_( given, h );
    const std::lock_guard< std::mutex > guard( lock_() );
    auto& table = table_();
    const auto range = table.equal_range( key );
    for ( auto it = range.first; it != range.second; ++it )
    {
      auto found = it->second.lock();
      if ( found and found->h == h and std::memcmp( &found->given, &given, sizeof( Given ) ) == 0 )
      {
        return found;
      }
    }
    auto made = std::make_shared< Shared >();
    made->given = given;
    made->h = h;
    made->compute();
    if ( table.size() >= limit_() )
    {
      std::erase_if( table, []( const auto& entry ) { return entry.second.expired(); } );
      limit_() = 2 * table.size() + 64;
    }
    table.emplace( key, made );
    return made;
  }

private:
  static size_t
  hash_( const Given& given, const double h )
  {
    const std::string bytes( reinterpret_cast< const char* >( &given ), sizeof( Given ) );
    return std::hash< std::string > {}( bytes ) ^ std::hash< double > {}( h );
  }

  static std::mutex&
  lock_()
  {
    static std::mutex lock;
    return lock;
  }

  static std::unordered_multimap< size_t, std::weak_ptr< const Shared > >&
  table_()
  {
    static std::unordered_multimap< size_t, std::weak_ptr< const Shared > > table;
    return table;
  }

  static size_t&
  limit_()
  {
    static size_t limit = 64;
    return limit;
  }
};

}

#endif
