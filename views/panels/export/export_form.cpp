// The fields of the export dialog and their layout.
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QFrame>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

#include "views/api/panel_widgets.h"
#include "views/panels/export/export_dialog.h"
#include "views/panels/export/figure_preview.h"
#include "views/panels/export/ground.h"
#include "views/panels/export/segments.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 16;
constexpr int kFormWidth = 400;
constexpr int kNumberWidth = 72;
constexpr int kLeastDpi = 72, kMostDpi = 1200;

QWidget* rowOf(std::initializer_list<QWidget*> widgets) {
  auto* line = new QWidget;
  auto* row = new QHBoxLayout(line);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(8);
  for (QWidget* widget : widgets) row->addWidget(widget);
  row->addStretch(1);
  return line;
}

QFrame* separator() {
  auto* line = new QFrame;
  line->setFrameShape(QFrame::HLine);
  return line;
}

QDoubleSpinBox* decimalField(const char* name, const QString& accessible, int decimals) {
  auto* field = new QDoubleSpinBox;
  field->setObjectName(QString::fromLatin1(name));
  field->setAccessibleName(accessible);
  field->setDecimals(decimals);
  field->setAlignment(Qt::AlignRight);
  field->setMinimumWidth(kNumberWidth);
  return field;
}

}  // namespace

QCheckBox* ExportDialog::makeCheck(const char* name, const QString& text, bool on) {
  auto* box = new QCheckBox(text);
  box->setObjectName(QString::fromLatin1(name));
  box->setChecked(on);
  connect(box, &QCheckBox::toggled, this, &ExportDialog::settingsChanged);
  return box;
}

QWidget* ExportDialog::makePreviewSide() {
  auto* side = new Ground(ColourRole::Window);
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  auto* bar = new Ground(ColourRole::Panel);
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(12, 6, 12, 6);
  row->setSpacing(8);
  m_sizeText = new TextLabel({}, TextLabel::Style::Secondary);
  m_sizeText->setObjectName(QStringLiteral("size_text"));
  auto* scale = new Segments(tr("Scale of the preview"), {tr("Fit"), tr("Actual size")});
  auto* vision = new QComboBox;
  vision->setObjectName(QStringLiteral("vision"));
  vision->setAccessibleName(tr("Colour vision of the preview"));
  vision->setToolTip(tr("Shows the figure as a person with this colour vision sees it; files do not change"));
  const std::pair<figure::ColourVision, QString> visions[] = {
      {figure::ColourVision::Normal, tr("Normal colour vision")},
      {figure::ColourVision::Deuteranopia, tr("Deuteranopia")},
      {figure::ColourVision::Protanopia, tr("Protanopia")},
      {figure::ColourVision::Tritanopia, tr("Tritanopia")},
      {figure::ColourVision::Greyscale, tr("Greyscale print")}};
  for (const auto& [value, text] : visions) vision->addItem(text, static_cast<int>(value));
  row->addWidget(new TextLabel(tr("Preview"), TextLabel::Style::Title));
  row->addWidget(m_sizeText);
  row->addStretch(1);
  row->addWidget(scale);
  row->addWidget(vision);
  column->addWidget(bar);
  m_preview = new FigurePreview;
  column->addWidget(m_preview, 1);
  m_facts = new TextLabel({}, TextLabel::Style::Secondary);
  m_facts->setObjectName(QStringLiteral("facts"));
  m_facts->setWordWrap(true);
  m_warning = new TextLabel({}, TextLabel::Style::Warning);
  m_warning->setObjectName(QStringLiteral("warning"));
  m_warning->setWordWrap(true);
  for (TextLabel* line : {m_facts, m_warning}) {
    line->setContentsMargins(24, 0, 24, 8);
    column->addWidget(line);
  }
  connect(scale, &Segments::chosen, m_preview, [this](int index) { m_preview->setActualSize(index == 1); });
  connect(vision, &QComboBox::currentIndexChanged, m_preview, [this, vision] {
    m_preview->setVision(static_cast<figure::ColourVision>(vision->currentData().toInt()));
  });
  connect(m_preview, &FigurePreview::scaleChanged, this, &ExportDialog::showSize);
  return side;
}

QWidget* ExportDialog::makeFormSide() {
  auto* side = new Ground(ColourRole::Panel);
  side->setMinimumWidth(kFormWidth);
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(kPadding, kPadding, kPadding, kPadding);
  auto* form = new QFormLayout;
  form->setHorizontalSpacing(16);
  form->setVerticalSpacing(8);
  form->setLabelAlignment(Qt::AlignLeft);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  if (m_sources.size() > 1) {
    m_source = new QComboBox;
    m_source->setObjectName(QStringLiteral("source"));
    for (const ExportSource& source : m_sources) m_source->addItem(source.label);
    connect(m_source, &QComboBox::activated, this, &ExportDialog::chooseSource);
    form->addRow(tr("Figure"), m_source);
  }
  addSizeRows(*form);
  addLookRows(*form);
  form->addRow(separator());
  addFormatRows(*form);
  form->addRow(separator());
  addContentRows(*form);
  form->addRow(separator());
  addPlaceRows(*form);
  column->addLayout(form);
  column->addStretch(1);
  return side;
}

void ExportDialog::addSizeRows(QFormLayout& form) {
  m_preset = new QComboBox;
  m_preset->setObjectName(QStringLiteral("preset"));
  m_preset->setAccessibleName(tr("Size preset"));
  for (const SizePreset& preset : sizePresets()) m_preset->addItem(tr(preset.name));
  m_preset->addItem(tr("Custom"));
  connect(m_preset, &QComboBox::activated, this, &ExportDialog::choosePreset);
  m_width = decimalField("width", tr("Width"), 2);
  m_height = decimalField("height", tr("Height"), 2);
  for (QDoubleSpinBox* field : {m_width, m_height}) {
    field->setRange(figure::kMinInches, figure::kMaxInches);
    field->setSingleStep(0.05);
    connect(field, &QDoubleSpinBox::valueChanged, this, &ExportDialog::settingsChanged);
  }
  m_unit = new QComboBox;
  m_unit->setObjectName(QStringLiteral("unit"));
  m_unit->setAccessibleName(tr("Unit of the size"));
  m_unit->addItems({tr("in"), tr("mm")});
  connect(m_unit, &QComboBox::activated, this, &ExportDialog::chooseUnit);
  m_font = decimalField("font", tr("Font size"), 1);
  m_font->setRange(figure::kMinFontPoints, figure::kMaxFontPoints);
  m_font->setSingleStep(0.5);
  m_font->setSuffix(tr("\u2009pt"));
  connect(m_font, &QDoubleSpinBox::valueChanged, this, &ExportDialog::settingsChanged);
  form.addRow(tr("Size"), m_preset);
  form.addRow(QString(),
              rowOf({m_width, new TextLabel(QStringLiteral("×"), TextLabel::Style::Body), m_height, m_unit}));
  form.addRow(tr("Font size"),
              rowOf({m_font, new TextLabel(tr("DejaVu Sans, bundled"), TextLabel::Style::Secondary)}));
}

void ExportDialog::addLookRows(QFormLayout& form) {
  m_theme = new Segments(tr("Theme"), {tr("Print"), tr("Light"), tr("Dark")});
  m_theme->setObjectName(QStringLiteral("theme"));
  connect(m_theme, &Segments::chosen, this, &ExportDialog::settingsChanged);
  m_colours = new QComboBox;
  m_colours->setObjectName(QStringLiteral("colours"));
  m_colours->setAccessibleName(tr("Colours"));
  connect(m_colours, &QComboBox::activated, this, &ExportDialog::settingsChanged);
  form.addRow(tr("Theme"), m_theme);
  form.addRow(tr("Colours"), m_colours);
}

void ExportDialog::addFormatRows(QFormLayout& form) {
  m_svg = makeCheck("svg", tr("SVG"), m_settings.svg);
  m_pdf = makeCheck("pdf", tr("PDF"), m_settings.pdf);
  m_png = makeCheck("png", tr("PNG"), m_settings.png);
  m_dotsPerInch = new QSpinBox;
  m_dotsPerInch->setObjectName(QStringLiteral("dpi"));
  m_dotsPerInch->setAccessibleName(tr("PNG resolution"));
  m_dotsPerInch->setRange(kLeastDpi, kMostDpi);
  m_dotsPerInch->setSingleStep(50);
  m_dotsPerInch->setSuffix(tr("\u2009dpi"));
  m_dotsPerInch->setValue(m_settings.dotsPerInch);
  m_dotsPerInch->setMinimumWidth(kNumberWidth + 16);
  connect(m_dotsPerInch, &QSpinBox::valueChanged, this, &ExportDialog::settingsChanged);
  m_svgText = new Segments(tr("SVG text"), {tr("Editable text"), tr("Paths")});
  m_svgText->setObjectName(QStringLiteral("svg_text"));
  m_svgText->setToolTip(tr("Paths look the same where DejaVu Sans is not installed"));
  connect(m_svgText, &Segments::chosen, this, &ExportDialog::settingsChanged);
  m_data = makeCheck("data", tr("CSV and JSON beside it"), m_settings.data);
  m_data->setToolTip(tr("The numbers, and the figure itself as a file"));
  form.addRow(tr("Formats"), rowOf({m_svg, m_pdf, m_png}));
  form.addRow(tr("PNG resolution"), rowOf({m_dotsPerInch}));
  form.addRow(tr("SVG text"), m_svgText);
  form.addRow(tr("Data"), m_data);
  form.addRow(QString(), new TextLabel(tr("The JSON remakes this figure: moescope figure reads it."),
                                       TextLabel::Style::Secondary));
}

void ExportDialog::addContentRows(QFormLayout& form) {
  m_title = makeCheck("title", tr("Draw a title (captions belong to the paper)"), m_settings.drawTitle);
  m_sampleLine = makeCheck("sample_line", tr("Print the sample below the figure"), m_settings.drawSampleLine);
  form.addRow(tr("Title"), m_title);
  form.addRow(tr("Sample line"), m_sampleLine);
}

void ExportDialog::addPlaceRows(QFormLayout& form) {
  m_name = new QLineEdit;
  m_name->setObjectName(QStringLiteral("name"));
  m_folder = new QLineEdit;
  m_folder->setObjectName(QStringLiteral("folder"));
  m_folder->setAccessibleName(tr("Folder"));
  for (QLineEdit* field : {m_name, m_folder}) field->setTextMargins(4, 0, 4, 0);
  auto* choose = new QPushButton(tr("Browse…"));
  choose->setAutoDefault(false);
  connect(m_name, &QLineEdit::textChanged, this, &ExportDialog::settingsChanged);
  connect(m_folder, &QLineEdit::textChanged, this, &ExportDialog::settingsChanged);
  connect(choose, &QPushButton::clicked, this, &ExportDialog::browse);
  auto* place = new QWidget;
  auto* row = new QHBoxLayout(place);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(8);
  row->addWidget(m_folder, 1);
  row->addWidget(choose);
  form.addRow(tr("Name"), m_name);
  form.addRow(tr("Folder"), place);
}

QWidget* ExportDialog::makeBottom() {
  auto* bottom = new Ground(ColourRole::Panel);
  auto* row = new QHBoxLayout(bottom);
  row->setContentsMargins(12, 8, 12, 8);
  row->setSpacing(8);
  auto* texts = new QVBoxLayout;
  texts->setSpacing(2);
  m_files = new TextLabel({}, TextLabel::Style::Secondary);
  m_files->setObjectName(QStringLiteral("files"));
  m_problem = new TextLabel({}, TextLabel::Style::Warning);
  m_problem->setObjectName(QStringLiteral("problem"));
  texts->addWidget(m_files);
  texts->addWidget(m_problem);
  m_copy = new QPushButton(tr("Copy image"));
  m_copy->setToolTip(tr("Copies the figure as a picture of 300 dpi"));
  m_copy->setAutoDefault(false);
  auto* cancel = new QPushButton(tr("Cancel"));
  cancel->setAutoDefault(false);
  m_export = new QPushButton(tr("Export"));
  m_export->setObjectName(QStringLiteral("export"));
  m_export->setDefault(true);
  connect(m_copy, &QPushButton::clicked, this, &ExportDialog::copyImage);
  connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
  connect(m_export, &QPushButton::clicked, this, &ExportDialog::exportNow);
  row->addLayout(texts, 1);
  row->addWidget(m_copy);
  row->addWidget(cancel);
  row->addWidget(m_export);
  return bottom;
}

}  // namespace moescope::views
