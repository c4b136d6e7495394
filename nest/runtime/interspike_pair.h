/* What a neuron keeps for synapses that were made together with it: values that they read later, on the
   grid, and the spikes that they have not all seen. */
#ifndef INTERSPIKE_PAIR_H
#define INTERSPIKE_PAIR_H

#include <array>
#include <utility>
#include <vector>

#include "interspike_nest.h"

namespace interspike INTERSPIKE_LOCAL
{

inline long
steps_of( const double ms )
{
  return std::lround( ms / nest::Time::get_resolution().get_ms() );
}

/* `Traces` values are read as they were before a spike, dendritic delay ago, and around each spike;
   `Samples` values without delay, also at the time when a spike has come back along the dendrite. */
template < int Traces, int Samples >
class PairHistory
{
public:
  using TraceValues = std::array< double, Traces >;
  using SampleValues = std::array< double, Samples >;

  struct Spike
  {
    double t_;
    long step;
    size_t reads;
    TraceValues before;
    TraceValues after;
    std::vector< double > samples; /* from the spike on, step by step */

    double
    sample( const long delay, const int k ) const
    {
      const size_t place = static_cast< size_t >( delay ) * Samples + k;
      return place < samples.size() ? samples[ place ] : samples[ samples.size() - Samples + k ];
    }
  };

  bool
  is_read() const
  {
    return synapses_ > 0;
  }

  /* a synapse that has seen all spikes up to `seen` will read what is at most `delay` steps old */
  void
  connect( const long seen, const long delay )
  {
    for ( auto& spike : spikes_ )
    {
      spike.reads += spike.step <= seen;
    }
    ++synapses_;
    longest_ = std::max( longest_, delay );
  }

  void
  clear()
  {
    spikes_.clear();
    ring_.clear();
    now_ = 0;
  }

  /* before a run: room for all that may be asked for; older values than are known are taken to be these */
  void
  prepare( const long now, const TraceValues& traces, const SampleValues& samples )
  {
    const long wanted = longest_ + nest::kernel().connection_manager.get_min_delay() + 2;
    const long kept = ring_.size();
    if ( not is_read() or wanted <= kept )
    {
      return;
    }
    std::vector< Entry > ring( wanted, Entry { traces, samples } );
    for ( long step = now - kept + 1; kept > 0 and step <= now; ++step )
    {
      ring[ place_( step, wanted ) ] = ring_[ place_( step, kept ) ];
    }
    if ( kept > 0 )
    {
      const Entry& oldest = ring_[ place_( now - kept + 1, kept ) ];
      for ( long step = now - wanted + 1; step <= now - kept; ++step )
      {
        ring[ place_( step, wanted ) ] = oldest;
      }
    }
    ring_.swap( ring );
    now_ = now;
  }

  /* the end of a step */
  void
  record( const long step,
    const TraceValues& before,
    const TraceValues& after,
    const SampleValues& samples,
    const bool has_spiked )
  {
    if ( ring_.empty() )
    {
      prepare( step - 1, before, samples ); /* connected after the run was prepared */
    }
    now_ = step;
    ring_[ place_( step, ring_.size() ) ] = Entry { before, samples };
    if ( has_spiked )
    {
      size_t done = 0;
      while ( done < spikes_.size() and spikes_[ done ].reads >= synapses_ )
      {
        ++done;
      }
      spikes_.erase( spikes_.begin(), spikes_.begin() + done );
      spikes_.push_back( Spike { nest::Time( nest::Time::step( step ) ).get_ms(), step, 0, before, after, {} } );
    }
    if constexpr ( Samples > 0 )
    {
      for ( auto it = spikes_.rbegin(); it != spikes_.rend() and step - it->step <= longest_; ++it )
      {
        it->samples.insert( it->samples.end(), samples.begin(), samples.end() );
      }
    }
  }

  /* spikes in (first, last], which one synapse sees now */
  std::pair< const Spike*, const Spike* >
  range( const long first, const long last )
  {
    size_t end = spikes_.size();
    while ( end > 0 and spikes_[ end - 1 ].step > last )
    {
      --end;
    }
    size_t begin = end;
    while ( begin > 0 and spikes_[ begin - 1 ].step > first )
    {
      ++spikes_[ --begin ].reads;
    }
    return { spikes_.data() + begin, spikes_.data() + end };
  }

  double
  trace( const long step, const int k ) const
  {
    return entry_( step ).traces[ k ];
  }

  double
  sample( const long step, const int k ) const
  {
    return entry_( step ).samples[ k ];
  }

private:
  struct Entry
  {
    TraceValues traces;
    SampleValues samples;
  };

  static size_t
  place_( const long step, const long size )
  {
    return ( step % size + size ) % size;
  }

  const Entry&
  entry_( const long step ) const
  {
    static const Entry nothing {};
    const long size = ring_.size();
    return size == 0 ? nothing : ring_[ place_( std::max( step, now_ - size + 1 ), size ) ];
  }

  std::vector< Spike > spikes_;
  std::vector< Entry > ring_;
  size_t synapses_ = 0;
  long longest_ = 0;
  long now_ = 0;
};

}

#endif
