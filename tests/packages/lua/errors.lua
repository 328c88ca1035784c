-- SPDX-License-Identifier: MIT
-- Errors: longjmp through C and Lua frames, messages with positions, handlers, tracebacks.
local function show(...) print(select("#", ...), ...) end
show(pcall(error, "plain", 0))
show(pcall(error, "with a position"))
show(pcall(function() error("level one") end))
show(pcall(function() error("level two", 2) end))
show(pcall(function() error({code = 7}).x = 1 end) == false)
show(select(2, pcall(error, {code = 7})).code)
show(pcall(error))
show(pcall(function() local t = nil; return t.field end))
show(pcall(function() local t = {}; t.a.b = 1 end))
show(pcall(function() return 1 + {} end))
show(pcall(function() return "a" + 1 end))
show(pcall(function() return "10" + 1 end))
show(pcall(function() return {} < {} end))
show(pcall(function() return 1 < "2" end))
show(pcall(function() return #nil end))
show(pcall(function() undefinedfunction() end))
show(pcall(function() return 2 ^ 53 | 0.5 end))
show(pcall(function() return 1 // 0 end))
show(pcall(function() return 1 % 0 end))
show(pcall(string.rep))
show(pcall(string.rep, "x", -1))
show(pcall(string.rep, "x", 1 << 40))
show(pcall(string.format, "%d", 1.5))
show(pcall(string.format, "%y", 1))
show(pcall(setmetatable, 1, {}))
show(pcall(ipairs))
show(pcall(math.random, 0, -1))
show(pcall(table.concat, {1, {}, 3}))
show(pcall(coroutine.resume, 1))
show(xpcall(function() error("inner") end, function(m) return "handled: " .. m end))
show(xpcall(function() error("inner") end, function() error("in the handler") end))
show(load("x = = 1", "=chunk"))
show(load("for i = 1 do end", "@file.lua"))
show(load("goto nowhere", "=chunk"))
show(load("local x <const> = 1; x = 2", "=chunk"))
show(load("'unfinished", "=chunk"))
show(load("\27garbage", "=binary", "t"))
show(assert(load("return ...", "=chunk"))(1, nil, 3))
show(pcall(assert, false, "assertion"))
show(pcall(assert, nil))

local closed = {}
show(pcall(function()
  local a <close> = setmetatable({}, {__close = function(_, e) closed[#closed + 1] = "a " .. tostring(e) end})
  local b <close> = setmetatable({}, {__close = function(_, e) closed[#closed + 1] = "b " .. tostring(e); error("from b", 0) end})
  error("first", 0)
end))
print(table.concat(closed, "; "))

-- The C stack and the Lua stack overflow, and life goes on.
local function deep(n) return 1 + deep(n + 1) end
local ok, message = pcall(deep, 1)
print(ok, message:match("^[^\n]*stack overflow"))
local nested = setmetatable({}, {})
getmetatable(nested).__index = function(t, k) return t[k .. "x"] end
ok, message = pcall(function() return nested.a end)
print(ok, (message:match("C stack overflow") or message))
print(pcall(string.gsub, ("("):rep(40) .. (")"):rep(40), ("("):rep(40), ""))

local function level3() print(debug.traceback("a traceback", 1)) end
local function level2() level3() end
local function level1() level2() end
coroutine.wrap(level1)()
table.sort({3, 2, 1}, function(a, b) if a == 2 then level1() end return a < b end)

-- Uncaught: message and traceback on standard error, exit status 1.
io.stderr:write("to standard error\n")
level1 = function(t) return t.missing.field end
local function caller() level1({}) end
caller()
