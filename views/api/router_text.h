// routerHeading: what the window calls a router where a sentence or a list entry begins with it.
// Not for axes and narrow places (core/base/router_label.h).
#pragma once

#include <QObject>
#include <QString>

#include <span>

#include "core/base/router_label.h"

namespace moescope::views {

/// "Layer 3"; "Layer 3 attention"; "Encoder layer 3", "Decoder layer 0" of an encoder-decoder.
inline QString routerHeading(const RouterSpec& router) {
  const int layer = router.layer.value;
  const int encoder = router.encoderLayers;
  const QString kind =
      router.kind == "ffn" ? QString() : QLatin1Char(' ') + QString::fromStdString(router.kind);
  if (encoder == 0) return QObject::tr("Layer %1").arg(layer) + kind;
  if (layer < encoder) return QObject::tr("Encoder layer %1").arg(layer) + kind;
  return QObject::tr("Decoder layer %1").arg(layer - encoder) + kind;
}

/// The same of a model's router by its key.
inline QString routerHeading(const RouterKey& router, std::span<const RouterSpec> routers) {
  if (const auto index = routerIndex(routers, router)) return routerHeading(routers[*index]);
  return QObject::tr("Layer %1").arg(QString::fromStdString(routerLabel(router)));
}

}  // namespace moescope::views
