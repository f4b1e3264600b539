#include "views/panels/export/export_dialog.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFile>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTimer>
#include <QVBoxLayout>

#include <cmath>

#include "core/figure/colour_map.h"
#include "views/api/number_text.h"
#include "views/api/panel_widgets.h"
#include "views/figure/figure_style.h"
#include "views/panels/export/figure_preview.h"
#include "views/panels/export/ground.h"
#include "views/panels/export/segments.h"

namespace moescope::views {

namespace {

constexpr QSize kFirstSize(1056, 690);
constexpr double kMmPerInch = 25.4;
constexpr int kCopyDpi = 300;
/// Files are measured when the fields have been left alone for so long.
constexpr int kMeasurePauseMs = 250;
constexpr double kMostMeasuredPixels = 4e6;
const auto kFolderKey = QStringLiteral("export/folder");

QString lastFolder() {
  QString kept = QSettings().value(kFolderKey).toString();
  if (!kept.isEmpty() && QDir(kept).exists()) return kept;
  const QString pictures = QStandardPaths::writableLocation(QStandardPaths::PicturesLocation);
  return QDir(pictures).exists() ? pictures : QDir::homePath();
}

QString homeShortened(const QString& path) {
  const QString home = QDir::homePath();
  return path.startsWith(home + QLatin1Char('/')) ? QLatin1Char('~') + path.mid(home.size()) : path;
}

}  // namespace

ExportDialog::ExportDialog(std::vector<ExportSource> sources, const QString& folder, QWidget* parent)
    : QDialog(parent), m_sources(std::move(sources)), m_measureTimer(new QTimer(this)) {
  setAttribute(Qt::WA_DeleteOnClose);
  setModal(false);
  m_settings.folder = folder.isEmpty() ? lastFolder() : folder;
  m_measureTimer->setSingleShot(true);
  m_measureTimer->setInterval(kMeasurePauseMs);
  connect(m_measureTimer, &QTimer::timeout, this, &ExportDialog::measure);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_error = new ErrorBar;
  m_error->setObjectName(QStringLiteral("error"));
  column->addWidget(m_error);
  auto* parts = new QHBoxLayout;
  parts->setSpacing(1);
  parts->addWidget(makePreviewSide(), 1);
  parts->addWidget(makeFormSide());
  column->addLayout(parts, 1);
  column->addWidget(makeBottom());
  m_folder->setText(m_settings.folder);
  resize(kFirstSize);
  chooseSource(0);
  choosePreset(0);
}

void ExportDialog::chooseSource(int index) {
  if (index < 0 || index >= static_cast<int>(m_sources.size())) return;
  const ExportSource& source = m_sources[static_cast<std::size_t>(index)];
  setWindowTitle(tr("Export figure: %1").arg(source.label));
  auto made = source.make();
  m_hasFigure = made.has_value();
  if (made) {
    m_spec = *std::move(made);
    m_error->hide();
  } else {
    m_preview->clear();
    m_error->showError(QString::fromStdString(made.error().text()));
  }
  m_name->setText(fileStem(m_hasFigure ? QString::fromStdString(m_spec.kind) : source.label));
  showColourChoice();
  settingsChanged();
}

void ExportDialog::showColourChoice() {
  m_colours->clear();
  m_settings.colours.reset();
  const bool choice = m_hasFigure && hasColourChoice(m_spec);
  m_colours->setEnabled(choice);
  if (choice) {
    using enum figure::ColourMapId;
    for (const auto map : {Cividis, Viridis, Greys}) {
      const auto text = figure::label(map);
      m_colours->addItem(QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())),
                         static_cast<int>(map));
    }
    m_colours->setCurrentIndex(m_colours->findData(static_cast<int>(m_spec.map->colours.map)));
  } else if (m_hasFigure && m_spec.map) {
    m_colours->addItem(tr("Diverging around uniform"));
  } else if (m_hasFigure && m_spec.bars) {
    m_colours->addItem(tr("Grey, steered in accent"));
  } else {
    m_colours->addItem(tr("Okabe–Ito"));
  }
}

void ExportDialog::choosePreset(int index) {
  if (index < 0 || index >= static_cast<int>(sizePresets().size())) return;
  const SizePreset& preset = sizePresets()[static_cast<std::size_t>(index)];
  m_settings.widthInches = preset.widthInches;
  m_settings.heightInches = preset.heightInches;
  m_reading = true;
  m_font->setValue(preset.fontPoints);
  m_reading = false;
  chooseUnit();
}

void ExportDialog::chooseUnit() {
  const double factor = m_unit->currentIndex() == 1 ? kMmPerInch : 1.0;
  m_reading = true;
  for (QDoubleSpinBox* field : {m_width, m_height}) {
    field->setRange(figure::kMinInches * factor, figure::kMaxInches * factor);
    field->setDecimals(factor > 1.0 ? 1 : 2);
    field->setSingleStep(factor > 1.0 ? 1.0 : 0.05);
  }
  m_width->setValue(m_settings.widthInches * factor);
  m_height->setValue(m_settings.heightInches * factor);
  m_reading = false;
  settingsChanged();
}

void ExportDialog::settingsChanged() {
  if (m_reading) return;
  const double factor = m_unit->currentIndex() == 1 ? kMmPerInch : 1.0;
  // A size is taken from a field only where the field does not show it, rounded, already.
  const double rounding = 0.51 * std::pow(10.0, -m_width->decimals()) / factor;
  const auto take = [&](const QDoubleSpinBox& field, double& inches) {
    if (std::abs(field.value() / factor - inches) > rounding) inches = field.value() / factor;
  };
  take(*m_width, m_settings.widthInches);
  take(*m_height, m_settings.heightInches);
  m_settings.fontPoints = m_font->value();
  constexpr figure::Theme themes[] = {figure::Theme::Print, figure::Theme::Light, figure::Theme::Dark};
  m_settings.theme = themes[std::clamp(m_theme->choice(), 0, 2)];
  m_settings.colours.reset();
  if (m_colours->isEnabled()) {
    m_settings.colours = static_cast<figure::ColourMapId>(m_colours->currentData().toInt());
  }
  m_settings.svg = m_svg->isChecked();
  m_settings.pdf = m_pdf->isChecked();
  m_settings.png = m_png->isChecked();
  m_settings.dotsPerInch = m_dotsPerInch->value();
  m_settings.svgTextAsPaths = m_svgText->choice() == 1;
  m_settings.data = m_data->isChecked();
  m_settings.drawTitle = m_title->isChecked();
  m_settings.drawSampleLine = m_sampleLine->isChecked();
  m_settings.name = m_name->text().trimmed();
  QString folder = m_folder->text().trimmed();
  if (folder == QLatin1String("~") || folder.startsWith(QLatin1String("~/"))) {
    folder.replace(0, 1, QDir::homePath());
  }
  m_settings.folder = folder;
  m_dotsPerInch->setEnabled(m_settings.png);
  m_svgText->setEnabled(m_settings.svg);

  int preset = static_cast<int>(sizePresets().size());
  for (std::size_t i = 0; i < sizePresets().size(); ++i) {
    if (sizePresets()[i].widthInches == m_settings.widthInches &&
        sizePresets()[i].heightInches == m_settings.heightInches) {
      preset = static_cast<int>(i);
    }
  }
  m_preset->setCurrentIndex(preset);
  if (m_hasFigure) m_preview->setFigure(dressed(m_spec, m_settings));
  showFacts();
  showFiles(-1);
  m_measureTimer->start();
}

void ExportDialog::showSize() {
  m_sizeText->setText(tr("%1 × %2 in at %3\u2009%")
                          .arg(m_settings.widthInches, 0, 'f', 2)
                          .arg(m_settings.heightInches, 0, 'f', 2)
                          .arg(qRound(100.0 * m_preview->scale())));
}

void ExportDialog::showFacts() {
  m_facts->setVisible(m_hasFigure);
  m_warning->setVisible(false);
  if (!m_hasFigure) return;
  const figure::FigureSpec spec = dressed(m_spec, m_settings);
  const double smallest = smallestTextPoints(spec);
  const QString ground =
      m_settings.theme == figure::Theme::Dark ? tr("Dark background") : tr("White background");
  QStringList kinds;
  if (m_settings.svg || m_settings.pdf) kinds << tr("vector, 1 page");
  if (m_settings.png) {
    kinds << tr("%1 × %2 px")
                 .arg(qRound(spec.widthInches * m_settings.dotsPerInch))
                 .arg(qRound(spec.heightInches * m_settings.dotsPerInch));
  }
  QString text = tr("Smallest text %1 pt, thinnest line %2 pt. %3.")
                     .arg(smallest, 0, 'f', 1)
                     .arg(styleOf(spec).frameWidth / kUnitsPerPoint, 0, 'f', 1)
                     .arg(ground);
  if (!kinds.isEmpty()) {
    QString last = kinds.join(QStringLiteral(", "));
    last[0] = last[0].toUpper();
    text += QLatin1Char(' ') + last + QLatin1Char('.');
  }
  m_facts->setText(text);
  m_warning->setVisible(smallest < figure::kReadablePoints);
  m_warning->setText(
      tr("The smallest text is %1 pt, hard to read in print under %2 pt. Choose a larger font.")
          .arg(smallest, 0, 'f', 1)
          .arg(figure::kReadablePoints, 0, 'f', 0));
}

void ExportDialog::showFiles(qint64 bytes) {
  const QStringList all = suffixes(m_settings);
  const QString problem = settingsProblem(m_settings);
  QString text = all.size() == 1 ? tr("Writes 1 file") : tr("Writes %1 files").arg(all.size());
  if (bytes >= 0) text += tr(", about %1").arg(bytesText(bytes));
  text += QStringLiteral(": ") + all.join(QLatin1Char(' '));
  m_files->setText(all.isEmpty() ? QString() : text);
  QStringList replaced;
  for (const auto& path : exportPaths(m_settings)) {
    const QString file = QFile::decodeName(path.c_str());
    if (problem.isEmpty() && QFile::exists(file)) replaced << QFileInfo(file).fileName();
  }
  m_problem->setText(!problem.isEmpty()     ? problem
                     : replaced.isEmpty()   ? QString()
                     : replaced.size() == 1 ? tr("Replaces %1.").arg(replaced.front())
                                            : tr("Replaces %1 files of this name.").arg(replaced.size()));
  m_problem->setVisible(!m_problem->text().isEmpty());
  m_export->setEnabled(m_hasFigure && problem.isEmpty());
  m_copy->setEnabled(m_hasFigure);
}

void ExportDialog::measure() {
  if (!m_hasFigure) return;
  // A large picture takes seconds to pack: it is measured at a lower resolution.
  ExportSettings measured = m_settings;
  const double pixels =
      m_settings.widthInches * m_settings.heightInches * m_settings.dotsPerInch * m_settings.dotsPerInch;
  const bool estimate = m_settings.png && pixels > kMostMeasuredPixels && pixels <= kMostPixels;
  if (estimate) {
    measured.dotsPerInch = static_cast<int>(m_settings.dotsPerInch * std::sqrt(kMostMeasuredPixels / pixels));
  }
  const auto files = exportFiles(m_spec, measured);
  if (!files) {
    m_error->showError(QString::fromStdString(files.error().text()));
    return showFiles(-1);
  }
  m_error->hide();
  double bytes = 0;
  for (const FigureFile& file : *files) {
    // Plain areas pack to nearly nothing, edges grow with the resolution.
    const bool scaled = estimate && file.path.extension() == ".png";
    bytes += static_cast<double>(file.bytes.size()) *
             (scaled ? static_cast<double>(m_settings.dotsPerInch) / measured.dotsPerInch : 1.0);
  }
  showFiles(static_cast<qint64>(bytes));
}

void ExportDialog::browse() {
  const QString folder = QFileDialog::getExistingDirectory(this, tr("Folder for figures"), m_settings.folder);
  if (!folder.isEmpty()) m_folder->setText(homeShortened(folder));
}

void ExportDialog::copyImage() {
  if (!m_hasFigure) return;
  QGuiApplication::clipboard()->setImage(figureImage(dressed(m_spec, m_settings), kCopyDpi));
}

void ExportDialog::exportNow() {
  m_measureTimer->stop();
  const auto files = exportFiles(m_spec, m_settings);
  if (!files) return m_error->showError(QString::fromStdString(files.error().text()));
  if (const auto written = writeFiles(*files); !written) {
    return m_error->showError(QString::fromStdString(written.error().text()));
  }
  QSettings().setValue(kFolderKey, m_settings.folder);
  QStringList paths;
  for (const FigureFile& file : *files) paths << QFile::decodeName(file.path.c_str());
  Q_EMIT exported(paths);
  accept();
}

}  // namespace moescope::views
