/* guard.h - a lock is taken and released in one block, by clean-up.
 *
 *     GUARD(&mutex);       until the end of the block
 */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include <assert.h>
#include <pthread.h>

static inline pthread_mutex_t *guard_lock(pthread_mutex_t *mutex)
{
    int failed = pthread_mutex_lock(mutex);
    assert(failed == 0);
    (void)failed;
    return mutex;
}

static inline void guard_unlock(pthread_mutex_t **mutex)
{
    if (*mutex != NULL)
        pthread_mutex_unlock(*mutex);
}

#define GUARD_JOIN2(a, b) a##b
#define GUARD_JOIN(a, b)  GUARD_JOIN2(a, b)
#define GUARD(mutex_)                                                          \
    __attribute__((cleanup(guard_unlock), unused)) pthread_mutex_t *           \
    GUARD_JOIN(guard_, __LINE__) = guard_lock(mutex_)

#endif
