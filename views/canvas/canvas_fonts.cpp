#include "views/canvas/canvas_fonts.h"

#include <QFontMetricsF>
#include <QRawFont>

#include <imgui.h>
#include <imgui_internal.h>

#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr std::size_t kWidthsKept = 65536;
constexpr double kMetricsSize = 1000.0;  // large enough that rounding of metrics does not matter

// Latin with accents, Greek, punctuation with the thin space, fractions, minus and comparison signs.
constexpr ImWchar kLatin[] = {0x20,   0x17F,  0x391,  0x3C9,  0x2009, 0x2009, 0x2010, 0x2026, 0x2032,
                              0x203A, 0x20AC, 0x20AC, 0x2122, 0x2122, 0x215B, 0x215E, 0x2212, 0x2212,
                              0x221A, 0x221E, 0x2248, 0x2248, 0x2260, 0x2265, 0};
// What Open Sans lacks.
constexpr ImWchar kSymbols[] = {0x2190, 0x2199, 0x21B5, 0x21B5, 0x2261, 0x2261, 0x25B2, 0x25BC, 0};

FontSize sizeOf(FontRole role) {
  return role == FontRole::Body || role == FontRole::Mono ? FontSize::Body : FontSize::Small;
}

// ImGui takes the distance from ascent to descent where Qt takes the em.
float imguiPixels(const QString& file, double emPixels) {
  const QRawFont font(file, kMetricsSize, QFont::PreferNoHinting);
  return static_cast<float>(emPixels * (font.ascent() + font.descent()) / kMetricsSize);
}

bool hasAll(const ImFont& font, std::string_view utf8) {
  const char* at = utf8.data();
  const char* end = at + utf8.size();
  while (at < end) {
    unsigned int character = static_cast<unsigned char>(*at);
    if (character < 0x80) {
      if (character < 0x20) return false;
      ++at;
      continue;
    }
    at += ImTextCharFromUtf8(&character, at, end);
    if (character > IM_UNICODE_CODEPOINT_MAX ||
        font.FindGlyphNoFallback(static_cast<ImWchar>(character)) == nullptr)
      return false;
  }
  return true;
}

}  // namespace

QFont qtFont(FontRole role) {
  const Theme& theme = Theme::current();
  QFont font = role == FontRole::Mono ? theme.mono(sizeOf(role)) : theme.font(sizeOf(role));
  if (role == FontRole::SmallSemiBold) font.setWeight(QFont::DemiBold);
  return font;
}

bool CanvasFonts::prepare(double devicePixelRatio) {
  const int body = qtFont(FontRole::Body).pixelSize();
  if (qFuzzyCompare(m_ratio, devicePixelRatio) && m_bodyPixels == body) return false;
  m_ratio = devicePixelRatio;
  m_bodyPixels = body;
  ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
  atlas.Clear();
  atlas.Flags |= ImFontAtlasFlags_NoMouseCursors;
  const std::pair<FontRole, const char*> roles[] = {{FontRole::Body, "OpenSans-Regular.ttf"},
                                                    {FontRole::Small, "OpenSans-Regular.ttf"},
                                                    {FontRole::SmallSemiBold, "OpenSans-Semibold.ttf"}};
  for (const auto& [role, name] : roles) {
    const double em = qtFont(role).pixelSize() * devicePixelRatio;
    const QString file = fontFile(QLatin1String(name));
    const QString symbols = fontFile(QStringLiteral("DejaVuSans.ttf"));
    ImFontConfig config;
    config.OversampleH = config.OversampleV = 1;
    config.PixelSnapH = true;
    ImFont* font =
        atlas.AddFontFromFileTTF(file.toUtf8().constData(), imguiPixels(file, em), &config, kLatin);
    config.MergeMode = true;
    atlas.AddFontFromFileTTF(symbols.toUtf8().constData(), imguiPixels(symbols, em), &config, kSymbols);
    m_fonts[static_cast<std::size_t>(role)] = font;
  }
  atlas.Build();
  for (std::size_t role = 0; role < m_fonts.size(); ++role) {
    if (m_fonts[role] != nullptr)
      m_heights[role] = static_cast<float>(m_fonts[role]->FontSize / devicePixelRatio);
  }
  m_heights[static_cast<std::size_t>(FontRole::Mono)] =
      static_cast<float>(QFontMetricsF(qtFont(FontRole::Mono)).height());
  for (auto& widths : m_widths) widths.clear();
  return true;
}

ImFont* CanvasFonts::imguiFont(FontRole role, std::string_view utf8) const {
  ImFont* font = m_fonts[static_cast<std::size_t>(role)];
  return font != nullptr && hasAll(*font, utf8) ? font : nullptr;
}

float CanvasFonts::lineHeight(FontRole role) const { return m_heights[static_cast<std::size_t>(role)]; }

float CanvasFonts::width(std::string_view utf8, FontRole role) {
  if (const ImFont* font = imguiFont(role, utf8)) {
    const auto size = static_cast<float>(font->FontSize / m_ratio);
    return font->CalcTextSizeA(size, FLT_MAX, 0.0F, utf8.data(), utf8.data() + utf8.size()).x;
  }
  auto& widths = m_widths[static_cast<std::size_t>(role)];
  if (widths.size() > kWidthsKept) widths.clear();
  const auto [entry, isNew] = widths.try_emplace(std::string(utf8), 0.0F);
  if (isNew) {
    const QString text = QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
    entry->second = static_cast<float>(QFontMetricsF(qtFont(role)).horizontalAdvance(text));
  }
  return entry->second;
}

}  // namespace moescope::views
