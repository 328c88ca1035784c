-- SPDX-License-Identifier: MIT
-- Metatables, closures, goto, varargs, tables, sorting, garbage collection.
local Vector = {}
Vector.__index = Vector
Vector.__name = "Vector"
local function vector(x, y) return setmetatable({x = x, y = y}, Vector) end
function Vector.__add(a, b) return vector(a.x + b.x, a.y + b.y) end
function Vector.__mul(a, b) return type(a) == "number" and vector(a * b.x, a * b.y) or a.x * b.x + a.y * b.y end
function Vector.__eq(a, b) return a.x == b.x and a.y == b.y end
function Vector.__lt(a, b) return a.x < b.x end
function Vector.__le(a, b) return a.x <= b.x end
function Vector.__len() return 2 end
function Vector.__unm(a) return vector(-a.x, -a.y) end
function Vector.__concat(a, b) return tostring(a) .. tostring(b) end
function Vector.__call(self, k) return self[k] end
function Vector.__tostring(a) return "(" .. a.x .. ", " .. a.y .. ")" end
Vector.__idiv = function() return "idiv" end
Vector.__band = function() return "band" end
Vector.__shl = function() return "shl" end
Vector.__bnot = function() return "bnot" end
local a, b = vector(1, 2), vector(3, 4)
print(tostring(a + b), a * b, tostring(2 * a), a == vector(1, 2), a < b, a >= b, #a, tostring(-a), a .. b, a("y"))
print(a // b, a & 1, 1 << a, ~a, a ~= b, rawequal(a, vector(1, 2)), rawlen({1, 2}))

local log = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end, __metatable = "locked"})
log.a = 21
print(log.a, getmetatable(log), pcall(setmetatable, log, {}))
local base = {greet = function(self) return "hello from " .. self.name end}
local derived = setmetatable({name = "derived"}, {__index = setmetatable({}, {__index = base})})
print(derived:greet())
local t = setmetatable({}, {__pairs = function() return function(_, k) if not k then return 1, "one" end end, nil, nil end})
for k, v in pairs(t) do print(k, v) end

local function counter() local n = 0; return function() n = n + 1; return n end, function(v) n = v end end
local next1, set1 = counter()
local next2 = counter()
print(next1(), next1(), next2(), set1(10), next1())
local fs = {}
for i = 1, 3 do fs[i] = function() i = i + 1; return i end end
print(fs[1](), fs[1](), fs[2](), fs[3]())
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
print(fib(22), (function(...) return select("#", ...), (select(-1, ...)) end)(1, nil, nil))
local function tail(n) if n == 0 then return "tail" end return tail(n - 1) end
print(tail(1000000))
print(table.pack(table.unpack({1, 2, nil, 4}, 1, 4)).n, table.unpack({1, 2, 3}, 2))

for i = 1, 3 do
  for j = 1, 3 do
    if j == 2 then goto continue end
    io.write(i, ",", j, " ")
    ::continue::
  end
end
do
  local i = 1
  ::again::
  if i <= 3 then io.write(i, "; "); i = i + 1; goto again end
end
print()

local seed, data = 12345, {}
for i = 1, 5000 do seed = (seed * 1103515245 + 12345) % 2147483648; data[i] = seed % 1000 end
table.sort(data)
local sorted = true
for i = 2, #data do sorted = sorted and data[i - 1] <= data[i] end
print(sorted, data[1], data[2500], data[5000])
table.sort(data, function(x, y) return x > y end)
print(data[1], data[2500], data[5000])
local words = {"pear", "Apple", "fig", "banana", "cherry"}
table.sort(words, function(x, y) return #x < #y or (#x == #y and x < y) end)
print(table.concat(words, " "))
print(pcall(table.sort, {3, 1, 2, 5, 4, 7, 6, 9, 8, 10, 12, 11}, function() return true end))
table.insert(words, 2, "kiwi"); table.remove(words, 1); table.move(words, 1, 2, 4)
print(table.concat(words, " "), #words, table.remove({}), next({}), type(next))

-- Weak tables and finalizers, collected when we say so.
local weak = setmetatable({}, {__mode = "k"})
weak[{}] = 1; weak[Vector] = 2
local finalized = 0
for _ = 1, 100 do setmetatable({}, {__gc = function() finalized = finalized + 1 end}) end
collectgarbage(); collectgarbage()
local left = 0
for _ in pairs(weak) do left = left + 1 end
print(left, finalized, collectgarbage("count") > 0, collectgarbage("generational"), collectgarbage("incremental"))
local chain
for i = 1, 200000 do chain = {chain, i} end
local total = 0
while chain do total = total + chain[2]; chain = chain[1] end
print(total)

local env = {print = print}
local f = load("x = 5; print(x); return _ENV", "=env", "t", env)
print(f() == env, env.x, x)
local dumped = string.dump(function(n) return n * 2 end)
print(load(dumped, "=dumped", "b")(21), #dumped > 0)
print(debug.getinfo(1, "S").what, debug.getinfo(fib, "u").nparams, (debug.getlocal(fib, 1)))
debug.sethook(function(event, line) if line % 1000 == 0 then print(event, line) end end, "l")
debug.sethook()
setmetatable({}, {__gc = function() print("finalized at exit") end})
print(_VERSION, type(_G), package.config:sub(1, 1), package.path, package.cpath)
package.preload.inline = function(name, extra) return {name = name, extra = extra} end
print(require("inline").name, select(2, require("inline")), package.loaded.inline ~= nil)
print(pcall(require, "no.such.module"))
print(package.loadlib("no-such-library.so", "f"))
