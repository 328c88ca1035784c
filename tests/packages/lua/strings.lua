-- SPDX-License-Identifier: MIT
-- string.format, patterns, pack and unpack, utf8.
print(("%5d|%-5d|%05d|%+d|% d|%x|%X|%#x|%o|%c|%i"):format(42, 42, 42, 42, 42, 255, 255, 255, 8, 65, -7))
print(("%f|%.3f|%10.2f|%-10.1f|%e|%.2E|%g|%G|%a"):format(1 / 3, 2 / 3, 1e3, -1e3, 12345.678, 1e-10, 1e20, 1e-20, 0.5))
print(("%g %g %g %.14g %.17g %.99f"):format(0.1, 1e15, 123456789, 0.1, 0.1, 1 / 3))
print(("%s|%10s|%-10s|%.2s|%q"):format("text", "right", "left", "cut", 'quote "\n\0\r\\ \200'))
print(("%q %q %q %q"):format(1 / 3, 42, math.mininteger, true))
print(("%q"):format(1 / 0), ("%q"):format(-1 / 0), ("%s %s"):format(1 / 0, -(0 / 0) ~= -(0 / 0)))
print(("%%|%s|%s"):format(nil, setmetatable({}, {__tostring = function() return "by metamethod" end})))

print(("hello world"):gsub("o", "0"))
print(("hello world"):gsub("(%w+)", "<%1>"))
print(("hello world"):gsub("%w+", "%0 %0", 1))
print(("$name is $age, $none"):gsub("%$(%w+)", {name = "Lua", age = 30}))
print(("abc"):gsub("", "-"))
print(("abc"):gsub("%w", function(c) if c ~= "b" then return c:upper() end end))
print(("THE (quick) fox"):find("%((%a+)%)"))
print(("key = value"):match("^(%w+)%s*=%s*(%w+)$"))
print(("f(a(b)c)d"):match("%b()"), ("THE fox"):gsub("%f[%a]%a+", string.len))
print(("  trim  "):match("^%s*(.-)%s*$") .. "|", ("2024-06-01"):match("(%d+)-(%d+)-(%d+)"))
print(("a,b,,c"):gsub(",", ";", 2), ("x"):rep(3, "-"), ("abc"):reverse(), ("abc"):byte(1, -1))
for k, v in ("a=1, b=2, c=3"):gmatch("(%w+)=(%w+)") do io.write(k, "->", v, " ") end
print(("abc"):find("b", 1, true), ("a.c"):find(".", 1, true), ("abc"):find("", 10), ("abc"):find("", 4))
print(("()"):gsub("()", "%1"), ("aaa"):find("a-", 2), ("äöü"):len(), ("[a-z]"):gsub("[%[%]-]", "."))
print(pcall(string.gsub, "x", "(", ""), pcall(string.gsub, "x", "%", ""), pcall(string.gsub, "x", ".", "%2"))
print(("one;two;;four"):gsub(";;", ";nil;"), ("%d"):gsub("%%d", "%%s"))

local function bytes(s) return (s:gsub(".", function(c) return ("%02x "):format(c:byte()) end)) end
print(bytes(string.pack("<i1i2i4i8", -1, -2, -3, -4)))
print(bytes(string.pack(">I1I2I3I4I7", 1, 2, 3, 4, 5)))
print(bytes(string.pack("!8 b d i4", 1, 3.5, 7)), string.packsize("!8 b d i4"))
print(bytes(string.pack("z s1 s2", "zero", "one", "two")))
print(bytes(string.pack("<f d n j", 1.5, -2.25, 1e100, math.maxinteger)))
print(string.unpack("<i2 >i2 =I1", "\1\0\0\1\255"))
print(string.unpack("z s1", "zero\0\3one"), select("#", string.unpack("", "")))
print(pcall(string.pack, "i1", 200), pcall(string.unpack, "i4", "abc"), pcall(string.pack, "i17", 1))
print(string.unpack("<i16", string.pack("<i16", -5)))

print(utf8.char(72, 228, 8364, 128512), utf8.len("Hä€😀"), #utf8.char(0x7FFFFFFF))
for p, c in utf8.codes("aé€😀") do io.write(p, "=", c, " ") end
print(utf8.codepoint("aé€😀", 1, -1))
print(utf8.offset("aé€😀", 3), utf8.offset("aé€😀", -1), utf8.len("\xff"), pcall(utf8.codepoint, "\xff"))
print(("h\u{e9}llo \x41\065\z
       end"), #"\u{10FFFF}", utf8.charpattern)
print(tostring(1e15), tostring(1e16), 2 ^ 63, -0.0, 1e308 * 10, 100 // 1e300, 3 | 0, "0x10" + 0, "1e1" * 1)
print(("x"):rep(10):upper():lower():sub(-3, -2), ("%s"):rep(3, ","):format(1, 2.0, "3"))
print(#("long "):rep(100000):gsub("long", "longer"), ("a"):rep(300):find(("a?"):rep(30) .. ("a"):rep(30)))
print(os.setlocale("C"), ("é"):upper() == "é", ("%a"):rep(1), ("é"):match("%a"))
