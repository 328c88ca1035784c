-- SPDX-License-Identifier: MIT
-- Coroutines: yields across pcall, metamethods, iterators and sort; status, close, errors inside.
local function generator(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, i * i) end end) end
for i, square in generator(4) do io.write(i, ":", square, " ") end
print()

local co = coroutine.create(function(a, b)
  print("start", a, b)
  local c = coroutine.yield(a + b)
  print("again", c)
  local ok, e = pcall(function()
    local d = coroutine.yield(c * 2)
    error("raised after " .. d)
  end)
  print("caught", ok, e)
  return "done", 1, 2, 3
end)
print(coroutine.resume(co, 1, 2))
print(coroutine.status(co))
print(coroutine.resume(co, 10))
print(coroutine.resume(co, "third"))
print(coroutine.status(co), coroutine.resume(co))
print(coroutine.isyieldable(), coroutine.running() ~= nil)

local lazy = setmetatable({}, {
  __index = function(_, k) return coroutine.yield("index " .. tostring(k)) end,
  __add = function() return coroutine.yield("add") end,
  __lt = function() return coroutine.yield("less") end,
  __concat = function() return coroutine.yield("concat") end,
})
co = coroutine.wrap(function() return lazy.x, lazy + 1, lazy < lazy, lazy .. "s" end)
print(co()); print(co("X")); print(co(42)); print(co(false)); print(co("joined"))

co = coroutine.create(function()
  local x <close> = setmetatable({}, {__close = function() print("closed") end})
  coroutine.yield("waiting")
end)
print(coroutine.resume(co)); print(coroutine.close(co), coroutine.status(co))
co = coroutine.create(function() error({}) end)
print(type(select(2, coroutine.resume(co))), (coroutine.close(co)))
print(pcall(coroutine.wrap(function() error("wrapped") end)))
print(pcall(coroutine.yield))
print(select("#", table.unpack({}, 1, 200)))

-- Permutations, recursively, through coroutines in coroutines.
local function permute(a, n)
  if n <= 1 then coroutine.yield(table.concat(a)) end
  for i = 1, n do
    if n > 1 then
      a[n], a[i] = a[i], a[n]; permute(a, n - 1); a[n], a[i] = a[i], a[n]
    end
  end
end
for p in coroutine.wrap(function() permute({"a", "b", "c", "d"}, 4) end) do io.write(p, " ") end
print()

-- Many at once: a thousand that pass a token around.
local ring, passed = {}, 0
for i = 1, 1000 do
  ring[i] = coroutine.create(function(token) while true do token = coroutine.yield(token + i) end end)
end
local token = 0
for _ = 1, 10 do
  for i = 1, #ring do token = select(2, coroutine.resume(ring[i], token)); passed = passed + 1 end
end
print(passed, token)
print(coroutine.wrap(function() return debug.traceback("inside") end)())
