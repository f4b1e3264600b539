#include "core/trace/virtual_table.h"

#include <algorithm>
#include <cmath>
#include <new>

namespace moescope::trace {

namespace {

constexpr char kRun = 'r', kLayer = 'l', kRouter = 'o', kSequence = 's', kExpert = 'e', kToken = 't';

/// What a module knows of its table.
struct Registration {
  TableContext* context;
  const TableDefinition* definition;
};

struct Table : sqlite3_vtab {
  const Registration* registration = nullptr;
};

struct Cursor : sqlite3_vtab_cursor {
  std::unique_ptr<TableCursor> rows;
  const TableContext* context = nullptr;
  sqlite3_int64 row = 0;
};

char roleOf(const TableRoles& roles, int column) {
  if (column < 0) return 0;
  if (column == roles.run) return kRun;
  if (column == roles.layer) return kLayer;
  if (column == roles.router) return kRouter;
  if (column == roles.sequence) return kSequence;
  if (column == roles.expert) return kExpert;
  if (column == roles.token) return kToken;
  return 0;
}

char operatorOf(unsigned char op, char role) {
  if (op == SQLITE_INDEX_CONSTRAINT_EQ) return '=';
  if (role != kToken) return 0;
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_GT: return '>';
    case SQLITE_INDEX_CONSTRAINT_GE: return 'g';
    case SQLITE_INDEX_CONSTRAINT_LT: return '<';
    case SQLITE_INDEX_CONSTRAINT_LE: return 'k';
    default: return 0;
  }
}

/// Share of the rows that a constraint leaves, a guess that orders plans.
double shareOf(char role, char op) {
  if (role == kToken) return op == '=' ? 1e-5 : 0.3;
  if (role == kSequence) return 0.01;
  if (role == kRun) return 0.3;
  return 0.05;
}

bool isOrdered(const sqlite3_index_info& info, const std::vector<int>& order, const std::vector<int>& fixed) {
  const auto isFixed = [&](int column) { return std::ranges::find(fixed, column) != fixed.end(); };
  std::size_t at = 0;
  for (int i = 0; i < info.nOrderBy; ++i) {
    const auto& term = info.aOrderBy[i];
    if (term.desc != 0) return false;
    if (isFixed(term.iColumn)) continue;
    while (at < order.size() && isFixed(order[at])) ++at;
    if (at == order.size() || order[at] != term.iColumn) return false;
    ++at;
  }
  return true;
}

int connect(sqlite3* database, void* auxiliary, int, const char* const*, sqlite3_vtab** table, char**) {
  const auto* registration = static_cast<const Registration*>(auxiliary);
  const int code = sqlite3_declare_vtab(database, registration->definition->schema);
  if (code != SQLITE_OK) return code;
  sqlite3_vtab_config(database, SQLITE_VTAB_INNOCUOUS);
  auto* made = new (std::nothrow) Table;
  if (made == nullptr) return SQLITE_NOMEM;
  made->registration = registration;
  *table = made;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);
  return SQLITE_OK;
}

int bestIndex(sqlite3_vtab* table, sqlite3_index_info* info) {
  const Registration& registration = *static_cast<Table*>(table)->registration;
  const TableDefinition& definition = *registration.definition;
  std::string plan;
  std::vector<int> fixed;
  if (registration.context->runs().size() < 2) fixed.push_back(definition.roles.run);
  double rows = 1e7;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    const char role = roleOf(definition.roles, constraint.iColumn);
    const char op = role != 0 ? operatorOf(constraint.op, role) : '\0';
    if (constraint.usable == 0 || op == 0) continue;
    plan += role;
    plan += op;
    info->aConstraintUsage[i].argvIndex = static_cast<int>(plan.size() / 2);
    info->aConstraintUsage[i].omit = 0;  // SQLite's comparison rules stay the last word
    if (op == '=') fixed.push_back(constraint.iColumn);
    rows *= shareOf(role, op);
  }
  info->idxStr = sqlite3_mprintf("%s", plan.c_str());
  if (info->idxStr == nullptr) return SQLITE_NOMEM;
  info->needToFreeIdxStr = 1;
  info->idxNum = static_cast<int>(info->colUsed & 0x7FFFFFFFU);
  info->estimatedRows = static_cast<sqlite3_int64>(std::max(rows, 1.0));
  info->estimatedCost = std::max(rows, 1.0);
  info->orderByConsumed = info->nOrderBy > 0 && isOrdered(*info, definition.order, fixed) ? 1 : 0;
  return SQLITE_OK;
}

int openCursor(sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) {
  const Registration& registration = *static_cast<Table*>(table)->registration;
  auto* made = new (std::nothrow) Cursor;
  if (made == nullptr) return SQLITE_NOMEM;
  made->rows = registration.definition->open(*registration.context);
  made->context = registration.context;
  *cursor = made;
  return SQLITE_OK;
}

int closeCursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

void narrowEqual(Narrowing& narrowing, std::optional<std::int64_t>& slot, std::int64_t value) {
  if (slot && *slot != value) narrowing.nothing = true;
  slot = value;
}

void apply(Narrowing& narrowing, char role, char op, std::int64_t value, bool fractional) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const std::int64_t after = value == kMost ? value : value + 1;
  if (op == '=' && fractional) {
    narrowing.nothing = true;  // the columns are integers
    return;
  }
  // `value` is rounded down, so a fractional bound of either kind begins or ends after it.
  switch (op) {
    case '>': narrowing.tokenBegin = std::max(narrowing.tokenBegin, after); return;
    case 'g': narrowing.tokenBegin = std::max(narrowing.tokenBegin, fractional ? after : value); return;
    case '<': narrowing.tokenEnd = std::min(narrowing.tokenEnd, fractional ? after : value); return;
    case 'k': narrowing.tokenEnd = std::min(narrowing.tokenEnd, after); return;
    default: break;
  }
  switch (role) {
    case kRun: narrowEqual(narrowing, narrowing.run, value); return;
    case kLayer: narrowEqual(narrowing, narrowing.layer, value); return;
    case kRouter: narrowEqual(narrowing, narrowing.router, value); return;
    case kSequence: narrowEqual(narrowing, narrowing.sequence, value); return;
    case kExpert: narrowEqual(narrowing, narrowing.expert, value); return;
    default:
      narrowing.tokenBegin = std::max(narrowing.tokenBegin, value);
      narrowing.tokenEnd = std::min(narrowing.tokenEnd, after);
  }
}

int filter(sqlite3_vtab_cursor* base, int used, const char* plan, int count, sqlite3_value** values) {
  auto* cursor = static_cast<Cursor*>(base);
  Narrowing narrowing;
  narrowing.usedColumns = static_cast<std::uint32_t>(used);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const int type = sqlite3_value_type(values[i]);
    if (type == SQLITE_INTEGER) {
      apply(narrowing, plan[2 * i], plan[2 * i + 1], sqlite3_value_int64(values[i]), false);
    } else if (type == SQLITE_FLOAT) {
      const double value = sqlite3_value_double(values[i]);
      // Beyond 2^53 a double is not exact; SQLite's own check of the row is left to decide.
      if (std::abs(value) > 9.0e15) continue;
      const double down = std::floor(value);
      apply(narrowing, plan[2 * i], plan[2 * i + 1], static_cast<std::int64_t>(down), down != value);
    }
  }
  cursor->row = 0;
  cursor->rows->begin(narrowing);
  return cursor->context->isStopped() ? SQLITE_INTERRUPT : SQLITE_OK;
}

int next(sqlite3_vtab_cursor* base) {
  auto* cursor = static_cast<Cursor*>(base);
  cursor->rows->next();
  ++cursor->row;
  // A scan that was stopped ends early; its end must not look like the end of the table.
  return cursor->rows->atEnd() && cursor->context->isStopped() ? SQLITE_INTERRUPT : SQLITE_OK;
}

int atEnd(sqlite3_vtab_cursor* cursor) { return static_cast<Cursor*>(cursor)->rows->atEnd() ? 1 : 0; }

int column(sqlite3_vtab_cursor* cursor, sqlite3_context* result, int index) {
  static_cast<Cursor*>(cursor)->rows->column(result, index);
  return SQLITE_OK;
}

int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* row) {
  *row = static_cast<Cursor*>(cursor)->row;
  return SQLITE_OK;
}

/// xCreate stays null: the tables exist only as themselves (eponymous), never in a schema.
const sqlite3_module& module() {
  static const sqlite3_module shared = [] {
    sqlite3_module m{};
    m.xConnect = connect;
    m.xBestIndex = bestIndex;
    m.xDisconnect = disconnect;
    m.xOpen = openCursor;
    m.xClose = closeCursor;
    m.xFilter = filter;
    m.xNext = next;
    m.xEof = atEnd;
    m.xColumn = column;
    m.xRowid = rowid;
    return m;
  }();
  return shared;
}

}  // namespace

bool Narrowing::allows(const RouterSpec& spec, int index) const {
  return (!layer || *layer == spec.layer.value) && (!router || *router == index);
}

Result<void> registerTables(Database& database, TableContext& context) {
  for (const TableDefinition* definition :
       {&routingTable(), &tokensTable(), &expertLoadTable(), &routerLogitsTable()}) {
    auto* registration = new Registration{&context, definition};
    const int code = sqlite3_create_module_v2(database.handle(), definition->name, &module(), registration,
                                              [](void* owned) { delete static_cast<Registration*>(owned); });
    if (code != SQLITE_OK) return fail(database.error(code));
    // Connects the table now: declaring it later would have to pass the authorizer of a query.
    auto connected = database.prepare(std::string("SELECT 1 FROM ") + definition->name);
    if (!connected) return fail(connected.error());
  }
  return {};
}

void resultText(sqlite3_context* result, std::string_view text) {
  sqlite3_result_text64(result, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void resultReal(sqlite3_context* result, float value) {
  if (std::isnan(value)) {
    sqlite3_result_null(result);
  } else {
    sqlite3_result_double(result, static_cast<double>(value));
  }
}

}  // namespace moescope::trace
