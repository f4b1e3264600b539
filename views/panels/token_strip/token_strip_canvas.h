// TokenStripCanvas: the text of a run as wrapped token boxes; draws the lines in sight and turns mouse and
// keys into a selection. Not for reading traces (the panel does).
#pragma once

#include <QObject>

#include "views/api/canvas.h"
#include "views/panels/token_strip/strip_layout.h"
#include "views/panels/token_strip/strip_settings.h"

namespace moescope::views {

class ViewContext;

/// What the tool tip of a token tells beyond its text.
struct TokenDetail {
  std::int64_t token = -1;
  std::int32_t id = 0, sequence = 0, position = 0;
  trace::Phase phase = trace::Phase::Prefill;
  float logProb = trace::kMissing, entropy = trace::kMissing;  ///< entropy of the next-token distribution
  struct Alternative {
    std::string text;
    float logProb = trace::kMissing;
    bool taken = false;
  };
  std::vector<Alternative> alternatives;
};
TokenDetail tokenDetail(const trace::TraceStore& store, trace::RunId run, std::int64_t token);

/// GUI thread only.
class TokenStripCanvas : public QObject, public Canvas {
  Q_OBJECT

 public:
  explicit TokenStripCanvas(ViewContext& context, QObject* parent = nullptr);

  void setRun(std::vector<RouterSpec> routers, bool live);
  void setText(std::shared_ptr<const StripText> text, bool live);
  void setSettings(const StripSettings& settings);
  void setColours(StripColours colours);
  void setDetail(TokenDetail detail);

  void setFollowing(bool on);
  [[nodiscard]] bool following() const { return m_following; }
  /// Pixels that are scrolled off at the top, and how many there are.
  [[nodiscard]] float scroll() const { return m_scroll; }
  [[nodiscard]] float scrollEnd() const;
  void scrollTo(float top, bool byUser);
  [[nodiscard]] float pageHeight() const { return m_area.height; }

  [[nodiscard]] trace::TokenRange tokensInSight() const;
  [[nodiscard]] std::optional<std::int64_t> hovered() const { return m_hover; }
  [[nodiscard]] const StripText* text() const { return m_text.get(); }
  [[nodiscard]] const StripSettings& settings() const { return m_settings; }
  /// The colour of a box with this value.
  [[nodiscard]] Colour boxColour(float value) const;

  void build(Rect area, CanvasPainter& painter) override;
  void press(const CanvasEvent& event) override;
  void move(const CanvasEvent& event) override;
  void release(const CanvasEvent& event) override;
  void leave() override;
  void wheel(const CanvasEvent& event, QPointF steps) override;
  void contextMenu(const CanvasEvent& event) override;
  bool key(const QKeyEvent& event) override;
  void focusChanged(bool hasFocus) override;
  [[nodiscard]] std::optional<ToolTipContent> toolTip(const CanvasEvent& event) override;

 Q_SIGNALS:
  void changed();
  void scrolled();
  void hoverChanged();
  void followingChanged();
  void copyRequested();
  void menuRequested(QPoint globalAt);

 private:
  [[nodiscard]] Rect rectOf(const StripLayout::Box& box) const;
  [[nodiscard]] std::optional<std::int64_t> tokenAt(Point at) const;
  [[nodiscard]] std::optional<std::int64_t> regionToken(const CanvasEvent& event) const;
  void paintLine(CanvasPainter& painter, std::int64_t line);
  void paintBox(CanvasPainter& painter, const StripLayout::Box& box);
  void paintCaret(CanvasPainter& painter);
  void select(std::int64_t token, bool extend);
  void reveal(std::int64_t token);
  void followSelection();

  ViewContext& m_context;
  std::shared_ptr<const StripText> m_text;
  std::vector<RouterSpec> m_routers;
  StripLayout m_layout;
  StripSettings m_settings;
  StripColours m_colours;
  figure::ColourScale m_scale;
  TokenDetail m_detail;
  Rect m_area;
  float m_scroll = 0;
  bool m_live = false, m_following = true, m_hasFocus = false, m_selecting = false;
  std::optional<std::int64_t> m_hover, m_anchor, m_cursor;
};

}  // namespace moescope::views
