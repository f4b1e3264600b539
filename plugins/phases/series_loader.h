// SeriesLoader: collects the metrics of series off the GUI thread, and tells what is known so far.
// Not for drawing.
#pragma once

#include <QObject>

#include <memory>
#include <vector>

#include "core/plugin/series_collection.h"
#include "views/api/query_runner.h"
#include "views/api/view_context.h"

namespace moescope::phases {

/// GUI thread only.
class SeriesLoader : public QObject {
  Q_OBJECT

 public:
  using Series = std::vector<analysis::SeriesMetrics>;

  explicit SeriesLoader(views::ViewContext& context, QObject* parent = nullptr);

  /// Starts anew; what runs is stopped.
  void load(std::vector<plugin::SeriesRequest> requests);
  void cancel();
  [[nodiscard]] bool busy() const { return m_queries->busy(); }

 Q_SIGNALS:
  void changed(std::shared_ptr<const moescope::phases::SeriesLoader::Series> series);
  void progressed(const QString& activity, qlonglong done, qlonglong total);
  void finished();
  /// After finished(). `nothing`: no series could be collected.
  void failed(const moescope::Error& error, bool nothing);

 private:
  views::ViewContext& m_context;
  views::QueryRunner* m_queries;
  int m_number = 0;  // of the newest request: what belongs to an older one is dropped
};

}  // namespace moescope::phases
