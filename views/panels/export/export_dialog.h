// ExportDialog: shows a figure as it will be and writes it, with its data beside it. Not modal, and not for
// making figures: it is given sources.
#pragma once

#include <QDialog>

#include <functional>
#include <vector>

#include "core/figure/figure_spec.h"
#include "views/panels/export/export_settings.h"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;
class QTimer;

namespace moescope::views {

class ErrorBar;
class FigurePreview;
class Segments;
class TextLabel;

/// A figure that can be exported. `make` is called on the GUI thread when the source is chosen.
struct ExportSource {
  QString label;  ///< "Routing map"
  std::function<Result<figure::FigureSpec>()> make;
};

/// GUI thread only. Deletes itself when it is closed.
class ExportDialog : public QDialog {
  Q_OBJECT

 public:
  /// The first source is shown first. `folder` is where files go at first; empty: the last one used, else
  /// the user's pictures or home.
  explicit ExportDialog(std::vector<ExportSource> sources, const QString& folder = {},
                        QWidget* parent = nullptr);

  [[nodiscard]] const ExportSettings& settings() const { return m_settings; }

 Q_SIGNALS:
  void exported(const QStringList& files);

 private:
  // export_form.cpp
  QWidget* makePreviewSide();
  QWidget* makeFormSide();
  QWidget* makeBottom();
  void addSizeRows(QFormLayout& form);
  void addLookRows(QFormLayout& form);
  void addFormatRows(QFormLayout& form);
  void addContentRows(QFormLayout& form);
  void addPlaceRows(QFormLayout& form);
  QCheckBox* makeCheck(const char* name, const QString& text, bool on);

  // export_dialog.cpp
  void chooseSource(int index);
  void choosePreset(int index);
  void chooseUnit();
  void showSize();
  void browse();
  /// Reads the fields and shows what follows from them.
  void settingsChanged();
  void showColourChoice();
  void showFacts();
  /// Renders the files to say how large they are; after a pause, since that may take a moment.
  void measure();
  void showFiles(qint64 bytes);
  void copyImage();
  void exportNow();

  std::vector<ExportSource> m_sources;
  figure::FigureSpec m_spec;
  bool m_hasFigure = false;
  bool m_reading = false;  ///< fields are being filled by the program
  ExportSettings m_settings;
  QTimer* m_measureTimer = nullptr;

  ErrorBar* m_error = nullptr;
  QComboBox* m_source = nullptr;
  FigurePreview* m_preview = nullptr;
  TextLabel* m_sizeText = nullptr;
  TextLabel* m_facts = nullptr;
  TextLabel* m_warning = nullptr;
  QComboBox* m_preset = nullptr;
  QDoubleSpinBox* m_width = nullptr;
  QDoubleSpinBox* m_height = nullptr;
  QComboBox* m_unit = nullptr;
  QDoubleSpinBox* m_font = nullptr;
  Segments* m_theme = nullptr;
  QComboBox* m_colours = nullptr;
  QCheckBox* m_svg = nullptr;
  QCheckBox* m_pdf = nullptr;
  QCheckBox* m_png = nullptr;
  QSpinBox* m_dotsPerInch = nullptr;
  Segments* m_svgText = nullptr;
  QCheckBox* m_data = nullptr;
  QCheckBox* m_title = nullptr;
  QCheckBox* m_sampleLine = nullptr;
  QLineEdit* m_name = nullptr;
  QLineEdit* m_folder = nullptr;
  TextLabel* m_files = nullptr;
  TextLabel* m_problem = nullptr;
  QPushButton* m_copy = nullptr;
  QPushButton* m_export = nullptr;
};

}  // namespace moescope::views
