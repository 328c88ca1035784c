// SPDX-License-Identifier: MIT
//
// A Lua state with the standard libraries, 200 modules of Lua source, and a table of 100,000 entries.
// Requests are Lua chunks.
//
// What is different in each process, and what makes it the same:
//   - the seed of the strings' hash (a time and addresses): Lua's build option luai_makeseed
//   - the cache of strings by their address in C: Lua's build options STRCACHE_N and STRCACHE_M
//   - math.random's first seed (a time and an address): set_up calls math.randomseed
//   - what the libraries left on the Lua stack, above its top: cover_stack
#include "answers.h"

#include <err.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

enum { MODULES = 200, FUNCTIONS = 12, COVER = 200 };

static lua_State *state;

static void check(lua_State *lua, int failed)
{
  if (failed)
    errx(1, "%s", lua_tostring(lua, -1));
}

static void add_module(luaL_Buffer *source, int module)
{
  char text[256];
  snprintf(text, sizeof text, "local M = {name = 'm%d'}\nlocal calls = 0\n", module);
  luaL_addstring(source, text);
  for (int i = 0; i < FUNCTIONS; i++) {
    snprintf(text, sizeof text,
             "function M.f%d(x, ...)\n  calls = calls + 1\n  local sum = %d\n"
             "  for i = 1, x %% 7 do sum = sum * %d + i end\n"
             "  if select('#', ...) > 0 then return sum .. ':' .. table.concat({...}, ',') end\n"
             "  return sum, calls\nend\n",
             i, module * 100 + i, module + i);
    luaL_addstring(source, text);
  }
  luaL_addstring(source, "return M\n");
}

// Compiled, run, and from then on what `require` returns.
static void load_module(lua_State *lua, int module)
{
  char name[32];
  luaL_Buffer source;
  luaL_buffinit(lua, &source);
  add_module(&source, module);
  luaL_pushresult(&source);
  snprintf(name, sizeof name, "m%d", module);
  luaL_getsubtable(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  size_t size;
  const char *text = lua_tolstring(lua, -2, &size);
  check(lua, luaL_loadbuffer(lua, text, size, name));
  lua_call(lua, 0, 1);
  lua_setfield(lua, -2, name);
  lua_pop(lua, 2);
}

static const char set_up[] = "math.randomseed(20, 26)\n"
                             "entries = {}\n"
                             "for i = 1, 100000 do entries['entry ' .. i] = i * i % 9973 end\n"
                             "collectgarbage()\n";

static void cover_stack(lua_State *lua)
{
  luaL_checkstack(lua, COVER, NULL);
  for (int i = 0; i < COVER; i++)
    lua_pushinteger(lua, 0);
  lua_settop(lua, 0);
}

static int build(lua_State *lua)
{
  luaL_openlibs(lua);
  for (int i = 0; i < MODULES; i++)
    load_module(lua, i);
  check(lua, luaL_dostring(lua, set_up));
  return 0;
}

void warm(void)
{
  if (state)
    return;
  lua_State *lua = luaL_newstate();
  if (!lua)
    errx(1, "no memory for Lua");
  lua_pushcfunction(lua, build);
  check(lua, lua_pcall(lua, 0, 0, 0));
  cover_stack(lua);
  state = lua;
}

bool is_warm(void)
{
  return state != NULL;
}

void answer(const char *request)
{
  if (luaL_dostring(state, request))
    printf("error: %s\n", lua_tostring(state, -1));
  lua_settop(state, 0);
}

uint64_t answer_quietly(void)
{
  check(state,
        luaL_dostring(state, "return (require 'm17'.f3(6)) + entries['entry 4711'] + #table.concat({'a', 'b'})"));
  uint64_t result = (uint64_t)lua_tointeger(state, -1);
  lua_settop(state, 0);
  return result;
}

void finish(void)
{
  lua_close(state);
  state = NULL;
}
