-- SPDX-License-Identifier: MIT
-- The edges of integers and floats, conversions, math.
print(math.maxinteger, math.mininteger, math.maxinteger + 1 == math.mininteger, math.mininteger // -1)
print(math.mininteger % -1, 7 // 2, -7 // 2, 7 // -2, 7 % -3, -7 % 3, 7.5 // 2, -7.5 % 2, 5.3 % math.huge)
print(1 // 0.0, -1 // 0.0, 0.0 / 0.0 ~= 0.0 / 0.0, 5 % -math.huge, 1e308 + 1e308, -1e308 * 10)
print(3 == 3.0, math.type(3), math.type(3.0), math.type("3"), 1 < 1.5, math.maxinteger < math.huge)
print(2 ^ 53 == 2 ^ 53 + 1, math.maxinteger + 0.0 == math.maxinteger, math.maxinteger + 0.0 == 2 ^ 63)
print(1 << 63, 1 << 64, 1 << -1, -1 >> 1, ~0, 0xF0 & 0x3C, 0xF0 | 0x0F, 0xF0 ~ 0xFF, 2.0 | 1, "3" + 0)
print(0xffffffffffffffff, 0x7fffffffffffffff + 1, 9223372036854775807, 9223372036854775808, 0x1p4, 0x.8, 1e2)
print(tonumber("0x1F"), tonumber("1f", 16), tonumber("zz", 36), tonumber("8", 8), tonumber(" 12 "), tonumber("1e"))
print(tonumber("1_000"), tonumber(""), tonumber("0x"), tonumber("1e400"), tonumber("-0x10"), tonumber("5."), tonumber("-.5e-1"))
print(tostring(3.0), tostring(-0.0), tostring(1e100), 1e15, 1e14, 123456.789e3, 0.1 + 0.2, 100000000000000)
print(math.tointeger(3.0), math.tointeger(3.5), math.tointeger("8"), math.tointeger(2 ^ 63))
print(math.floor(-3.5), math.ceil(-3.5), math.floor(1e300), math.fmod(-7, 3), math.fmod(7, -3), math.modf(-3.7))
print(math.ult(1, -1), math.abs(math.mininteger), math.max(1, 2.5, -1), math.min(3, 1, 2), math.pi)
print(string.format("%.15g %.15g %.15g %.15g", math.sin(1), math.cos(1), math.tan(1), math.atan(1, 2)))
print(string.format("%.15g %.15g %.15g %.15g", math.exp(1), math.log(2), math.log(8, 2), math.log(1000, 10)))
print(math.sqrt(2), 2 ^ 0.5, 10 // 3 * 3 + 10 % 3, 8 % 3.5, -2 ^ 2, not nil == true, 2 ^ 3 ^ 2)
for i = 3, 1, -1 do io.write(i, " ") end
for x = 0, 1, 0.25 do io.write(x, " ") end
for i = math.maxinteger - 1, math.maxinteger do io.write(i, " ") end
print(pcall(function() for i = 1, 10, 0 do end end))
print(pcall(function() return math.tointeger({}) end), pcall(function() return 1.5 & 1 end))
print(pcall(function() return 2 ^ 63 | 0 end), pcall(function() return "a" | 1 end))
math.randomseed(42)
print(math.random(100), math.random(100), math.random(-5, 5), math.random(0), string.format("%.17g", math.random()))
math.randomseed(1, 2)
local sum = 0
for _ = 1, 100000 do sum = sum + math.random(1, 6) end
print(sum)

-- A little number crunching: primes, a matrix product, Mandelbrot's rows.
local primes, sieve = 0, {}
for i = 2, 100000 do
  if not sieve[i] then primes = primes + 1; for j = i * i, 100000, i do sieve[j] = true end end
end
print(primes)
local n, m = 40, {}
for i = 1, n do m[i] = {}; for j = 1, n do m[i][j] = (i * j) % 7 / 3 end end
local trace = 0
for i = 1, n do for k = 1, n do trace = trace + m[i][k] * m[k][i] end end
print(string.format("%.17g", trace))
for y = -1, 1, 0.25 do
  local row = {}
  for x = -2, 0.5, 0.0625 do
    local a, b, count = 0, 0, 0
    while a * a + b * b <= 4 and count < 50 do a, b, count = a * a - b * b + x, 2 * a * b + y, count + 1 end
    row[#row + 1] = count == 50 and "#" or count > 6 and "+" or "."
  end
  print(table.concat(row))
end
