#include "views/theme/theme_file.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

namespace moescope::views {

namespace {

constexpr std::array<const char*, kColourRoles> kKeys{
    "window",     "panel",   "canvas", "control", "controlHover", "empty",  "separator",
    "border",     "track",   "text",   "text2",   "text3",        "accent", "onAccent",
    "accentBack", "warning", "error",  "ok",      "recording",    "ink",    "inkBack"};

tl::unexpected<Error> bad(const QString& file, const QString& where, const QString& message) {
  return fail("theme.bad_file", file.toStdString(), where.toStdString(), message.toStdString(),
              "install MoEScope again or restore the file");
}

}  // namespace

QString keyOf(ColourRole role) { return QString::fromLatin1(kKeys[static_cast<std::size_t>(role)]); }

Result<ThemeColours> readThemeColours(const QString& file) {
  QFile source(file);
  if (!source.open(QIODevice::ReadOnly)) return bad(file, {}, source.errorString());
  QJsonParseError parsed;
  const auto document = QJsonDocument::fromJson(source.readAll(), &parsed);
  if (parsed.error != QJsonParseError::NoError) {
    return bad(file, QStringLiteral("byte %1").arg(parsed.offset), parsed.errorString());
  }
  const QJsonObject values = document.object().value(QLatin1String("colours")).toObject();
  static const QRegularExpression kHex(QStringLiteral("^#[0-9A-Fa-f]{6}$"));
  ThemeColours colours;
  for (int role = 0; role < kColourRoles; ++role) {
    const QString key = keyOf(static_cast<ColourRole>(role));
    const QString text = values.value(key).toString();
    if (!kHex.match(text).hasMatch())
      return bad(file, QStringLiteral("colours.") + key, QStringLiteral("no colour #RRGGBB"));
    colours[static_cast<std::size_t>(role)] = QColor(text);
  }
  if (values.size() != kColourRoles)
    return bad(file, QStringLiteral("colours"), QStringLiteral("it holds an unknown key"));
  return colours;
}

}  // namespace moescope::views
