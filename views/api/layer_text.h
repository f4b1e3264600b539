// layerHeading: what the window calls a layer where a sentence or a list entry begins with it.
// Not for axes and narrow places (core/base/router_label.h).
#pragma once

#include <QObject>
#include <QString>

#include <span>

#include "core/base/router_label.h"

namespace moescope::views {

/// "Layer 3"; "Encoder layer 3", "Decoder layer 0" of an encoder-decoder with these routers.
inline QString layerHeading(LayerIndex layer, std::span<const RouterSpec> routers) {
  const int encoder = routers.empty() ? 0 : routers.front().encoderLayers;
  if (encoder == 0) return QObject::tr("Layer %1").arg(layer.value);
  if (layer.value < encoder) return QObject::tr("Encoder layer %1").arg(layer.value);
  return QObject::tr("Decoder layer %1").arg(layer.value - encoder);
}

}  // namespace moescope::views
