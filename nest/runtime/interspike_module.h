/* Registering models with NEST 3.8 to 3.10. Included once, after the models. */
#ifndef INTERSPIKE_MODULE_H
#define INTERSPIKE_MODULE_H

#include "genericmodel.h"
#include "genericmodel_impl.h"
#include "model_manager_impl.h"
#include "nest_extension_interface.h"

namespace interspike INTERSPIKE_LOCAL
{

template < typename Node >
void
register_model( const std::string& name )
{
  nest::register_node_model< Node >( name );
}

template < template < typename > class Synapse >
void
register_model( const std::string& name )
{
  nest::register_connection_model< Synapse >( name );
}

}

#endif
