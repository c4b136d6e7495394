/* Synapses that hear a volume transmitter: which one is common to all connections of a model. */
#ifndef INTERSPIKE_MODULATOR_H
#define INTERSPIKE_MODULATOR_H

#include "interspike_nest.h"

#include "common_synapse_properties.h"
#include "connector_model.h"
#include "node_collection.h"
#include "node_manager.h"
#include "spikecounter.h"
#include "volume_transmitter.h"

namespace interspike INTERSPIKE_LOCAL
{

class Modulated : public nest::CommonSynapseProperties
{
public:
  void
  get_status( Dict& d ) const
  {
    nest::CommonSynapseProperties::get_status( d );
    if ( transmitter_ )
    {
#if __has_include( "dictionary.h" )
      d[ nest::names::volume_transmitter ] =
        nest::NodeCollection::create( transmitter_ );
#else
      def< nest::NodeCollectionDatum >(
        d, nest::names::volume_transmitter, nest::NodeCollectionDatum( nest::NodeCollection::create( transmitter_ ) ) );
#endif
    }
  }

  void
  set_status( const Dict& d, nest::ConnectorModel& model )
  {
    nest::CommonSynapseProperties::set_status( d, model );
#if __has_include( "dictionary.h" )
    nest::NodeCollectionPTR given;
    const bool found = d.update_value( nest::names::volume_transmitter, given );
#else
    nest::NodeCollectionDatum given;
    const bool found = updateValue< nest::NodeCollectionDatum >( d, nest::names::volume_transmitter, given );
#endif
    if ( not found )
    {
      return;
    }
    if ( given->size() != 1 )
    {
      throw nest::BadProperty( "volume_transmitter must be one node" );
    }
    const size_t thread = nest::kernel().vp_manager.get_thread_id();
    nest::Node* node = nest::kernel().node_manager.get_node_or_proxy( ( *given )[ 0 ], thread );
    auto* transmitter = dynamic_cast< nest::volume_transmitter* >( node );
    if ( not transmitter )
    {
      throw nest::BadProperty( "volume_transmitter must be a node of the model volume_transmitter" );
    }
    transmitter_ = transmitter;
  }

  long
  get_vt_node_id() const
  {
    return transmitter_ ? static_cast< long >( transmitter_->get_node_id() ) : -1;
  }

  const std::vector< nest::spikecounter >&
  spikes() const
  {
    return transmitter_->deliver_spikes();
  }

  bool
  is_heard() const
  {
    return transmitter_;
  }

private:
  nest::volume_transmitter* transmitter_ = nullptr;
};

}

#endif
