// ImGuiContextOwner: one Dear ImGui context, made current only while a guard lives. Not for OpenGL.
#pragma once

struct ImGuiContext;

namespace moescope::views {

/// GUI thread only. One a canvas, so that canvases cannot disturb each other.
class ImGuiContextOwner {
 public:
  ImGuiContextOwner();
  ~ImGuiContextOwner();
  ImGuiContextOwner(const ImGuiContextOwner&) = delete;
  ImGuiContextOwner& operator=(const ImGuiContextOwner&) = delete;

  /// Makes the context current and puts the former one back.
  class Guard {
   public:
    explicit Guard(const ImGuiContextOwner& owner);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    ImGuiContext* m_former;
  };

 private:
  ImGuiContext* m_context;
};

}  // namespace moescope::views
