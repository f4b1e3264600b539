#include "views/canvas/imgui_context.h"

#include <imgui.h>

namespace moescope::views {

ImGuiContextOwner::ImGuiContextOwner() {
  ImGuiContext* former = ImGui::GetCurrentContext();
  m_context = ImGui::CreateContext();
  ImGui::SetCurrentContext(m_context);
  ImGui::GetIO().IniFilename = nullptr;  // Qt keeps the layout
  ImGui::GetIO().LogFilename = nullptr;
  ImGui::SetCurrentContext(former);
}

ImGuiContextOwner::~ImGuiContextOwner() { ImGui::DestroyContext(m_context); }

ImGuiContextOwner::Guard::Guard(const ImGuiContextOwner& owner) : m_former(ImGui::GetCurrentContext()) {
  ImGui::SetCurrentContext(owner.m_context);
}

ImGuiContextOwner::Guard::~Guard() { ImGui::SetCurrentContext(m_former); }

}  // namespace moescope::views
